-- Appends one event to one stream: what append does, with fewer statements. The
-- arguments are those of append; version is the stream's before the event.
CREATE FUNCTION append_one(
  s_name text, s_category text, s_expected bigint,
  e_id uuid, e_type text, e_revision integer, e_format text, e_data bytea, e_json text, e_metadata text,
  e_correlation uuid, e_causation uuid, e_time timestamptz,
  OUT outcome integer, OUT version bigint, OUT head bigint
)
LANGUAGE plpgsql
SET search_path FROM CURRENT
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
  id bigint;
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'append under isolation %: events can be appended under read committed only',
      current_setting('transaction_isolation') USING ERRCODE = 'ES001';
  END IF;

  -- Waits for other writers of the stream, then compares with what they left.
  IF s_expected <> 0 THEN
    UPDATE streams s SET version = s.version + 1
     WHERE s.name = s_name
       AND CASE s_expected WHEN -1 THEN true WHEN -2 THEN s.version > 0 ELSE s.version = s_expected END
    RETURNING s.stream_id, s.version - 1 INTO id, append_one.version;
  END IF;

  IF id IS NULL THEN
    SELECT s.version INTO append_one.version FROM streams s WHERE s.name = s_name;
    IF FOUND OR s_expected NOT IN (0, -1) THEN
      append_one.version := coalesce(append_one.version, 0);
      -- 2: somebody else has just made the stream what this append expects.
      outcome := CASE
        WHEN s_expected IN (-1, append_one.version) OR s_expected = -2 AND append_one.version > 0 THEN 2
        ELSE 1
      END;
      RETURN;
    END IF;

    append_one.version := 0;
    PERFORM pg_advisory_xact_lock('streams'::regclass::oid::integer, hashtext(s_name));
    INSERT INTO streams (name, category, version, created) VALUES (s_name, s_category, 1, e_time)
    ON CONFLICT (name) DO NOTHING RETURNING stream_id INTO id;
    IF id IS NULL THEN
      outcome := 2;
      RETURN;
    END IF;
  END IF;

  PERFORM pg_advisory_xact_lock('events'::regclass::oid::integer, 0);

  -- A new statement: it sees whatever was committed before the lock was got.
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
