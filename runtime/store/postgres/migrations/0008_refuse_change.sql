-- What was written stays. Events lose nothing and change only once: when their
-- transaction commits, they get their position. Functions that remove events say
-- so for as long as they run.
CREATE FUNCTION refuse_change() RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
  IF TG_OP = 'DELETE' AND current_setting('esgen.hard_delete', true) = 'on' THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION '% of %.%: what is stored in an event store is never changed or removed',
    lower(TG_OP), TG_TABLE_SCHEMA, TG_TABLE_NAME
    USING ERRCODE = 'feature_not_supported',
          HINT = 'Append an event that corrects it; or delete the stream through the store.';
END
$$;

CREATE TRIGGER refuse_update BEFORE UPDATE ON events FOR EACH ROW
WHEN (
  OLD.position IS NOT NULL OR NEW.position IS NULL
  OR (OLD.stream_id, OLD.version, OLD.time, OLD.revision, OLD.event_id, OLD.correlation, OLD.causation,
      OLD.type, OLD.format, OLD.data, OLD.data_json, OLD.metadata)
    IS DISTINCT FROM
     (NEW.stream_id, NEW.version, NEW.time, NEW.revision, NEW.event_id, NEW.correlation, NEW.causation,
      NEW.type, NEW.format, NEW.data, NEW.data_json, NEW.metadata)
)
EXECUTE FUNCTION refuse_change();

CREATE TRIGGER refuse_delete BEFORE DELETE ON events FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON events FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER refuse_update BEFORE UPDATE ON links FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refuse_delete BEFORE DELETE ON links FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON links FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER refuse_delete BEFORE DELETE ON streams FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON streams FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
