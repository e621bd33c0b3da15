-- Appends one event to one stream: what append does, with fewer statements. The
-- arguments are those of append; version is the stream's before the event; head is
-- NULL unless it is stored.
CREATE FUNCTION append_one(
  s_name text, s_category text, s_expected bigint,
  e_id uuid, e_type text, e_revision integer, e_format text, e_data bytea, e_json text, e_metadata text,
  e_correlation uuid, e_causation uuid, e_time timestamptz,
  OUT head bigint, OUT version bigint, OUT outcome integer, OUT waited integer
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path FROM CURRENT
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
  locked boolean;
  id bigint;
  deleted timestamptz;
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'append under isolation %: events can be appended under read committed only',
      current_setting('transaction_isolation') USING ERRCODE = 'ES001',
            HINT = 'Begin the transaction with isolation level READ COMMITTED.';
  END IF;

  -- An expression, not a statement: it costs less.
  locked := pg_advisory_xact_lock('events'::regclass::oid::integer, 0) IS NOT NULL;
  waited := 1e6::double precision * date_part('epoch', clock_timestamp() - statement_timestamp());

  IF s_expected <> 0 THEN
    UPDATE streams s SET version = s.version + 1
     WHERE s.stream_id = (
             SELECT l.stream_id FROM streams l
              WHERE l.name = s_name AND l.deleted_at IS NULL
                AND (s_expected = -1 OR s_expected = l.version OR s_expected = -2 AND l.version > 0)
                FOR NO KEY UPDATE SKIP LOCKED)
    RETURNING s.stream_id, s.version - 1 INTO id, append_one.version;
  END IF;

  IF id IS NULL AND s_expected IN (-1, 0) THEN
    INSERT INTO streams (name, category, version, created)
    SELECT s_name, s_category, 1, e_time
     WHERE CASE WHEN NOT EXISTS (SELECT FROM streams z WHERE z.name = s_name)
                THEN pg_try_advisory_xact_lock('streams'::regclass::oid::integer, hashtext(s_name)) END
    RETURNING stream_id, 0 INTO id, append_one.version;
  END IF;

  IF id IS NULL THEN
    SELECT s.version, s.deleted_at INTO append_one.version, deleted FROM streams s WHERE s.name = s_name;
    outcome := CASE
      WHEN deleted IS NOT NULL THEN 3
      WHEN append_one.version IS NULL THEN CASE WHEN s_expected IN (-1, 0) THEN 2 ELSE 1 END
      WHEN s_expected = -1 OR s_expected = append_one.version OR s_expected = -2 AND append_one.version > 0 THEN 2
      ELSE 1
    END;
    append_one.version := coalesce(append_one.version, 0);
    RETURN;
  END IF;

  INSERT INTO events (position, stream_id, version, event_id, type, revision, format, data, data_json, metadata,
                      correlation, causation, time)
  VALUES (
    1 + greatest((SELECT max(e.position) FROM events e WHERE e.position IS NOT NULL), (SELECT s.floor FROM store s)),
    id, append_one.version + 1, e_id, e_type, e_revision, e_format, e_data, e_json::jsonb, e_metadata::jsonb,
    e_correlation, e_causation, e_time
  ) RETURNING position - 1 INTO append_one.head;
  outcome := 0;
END
$$;

REVOKE EXECUTE ON FUNCTION append_one FROM PUBLIC;
