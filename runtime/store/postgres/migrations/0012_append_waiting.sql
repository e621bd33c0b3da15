-- Appends for one caller: all events or, if there are outcomes, none. It waits for
-- whoever changes one of the streams.
--
-- The arguments are those of append, but for the streams: they stand in the order
-- of their names, whatever the order of the events.
--
--   at_commit  give positions when the transaction commits, which is not this call's
--   head       the position before that of the first event; NULL at_commit
--   versions   of the streams before this, 0 without events
--   outcomes   NULL: stored; else of each stream 0 in order, 1 not the expected
--              version, 2 just been created by somebody else: call again, 3 deleted,
--              5 an event id is stored already (at_commit only; else it is a unique
--              violation)
--   xid        of the transaction; its fate can be asked for
--
-- Streams come first, in the order of their names, then the lock that all share who
-- create streams, then the names of new ones, in the order of their hashes, then the
-- head, until commit. Nobody waits for an
-- earlier kind while holding a later one, so that calls cannot deadlock; several
-- calls in one transaction can, and learn it.
CREATE FUNCTION append_waiting(
  s_name text[], s_category text[], s_expected bigint[], s_count integer[], s_created timestamptz[],
  e_stream integer[], e_offset integer[], e_id uuid[], e_type text[], e_revision integer[],
  e_format text[], e_data bytea[], e_json text[], e_metadata text[],
  e_correlation uuid[], e_causation uuid[], e_time timestamptz[], at_commit boolean,
  OUT head bigint, OUT versions bigint[], OUT outcomes integer[], OUT xid text
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path FROM CURRENT
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
  -- 0 where the stream is new.
  known bigint[];
  ids bigint[];
  is_new boolean;
  owed bigint;
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'append under isolation %: events can be appended under read committed only',
      current_setting('transaction_isolation') USING ERRCODE = 'ES001',
            HINT = 'Begin the transaction with isolation level READ COMMITTED.';
  END IF;

  SELECT array_agg(coalesce(l.stream_id, 0) ORDER BY q.o), array_agg(coalesce(l.version, 0) ORDER BY q.o),
         bool_or(l.stream_id IS NULL),
         array_agg(CASE
           WHEN l.deleted_at IS NOT NULL THEN 3
           WHEN q.expected = -1 OR q.expected = coalesce(l.version, 0) OR q.expected = -2 AND l.version > 0 THEN 0
           ELSE 1
         END ORDER BY q.o)
    INTO known, versions, is_new, outcomes
    FROM unnest(s_name, s_expected) WITH ORDINALITY q(name, expected, o)
    LEFT JOIN LATERAL (
      SELECT s.stream_id, s.version, s.deleted_at FROM streams s WHERE s.name = q.name FOR NO KEY UPDATE
    ) l ON true;

  IF outcomes && ARRAY[1, 3] THEN
    RETURN;
  END IF;

  -- The index on event ids has no entries yet when the transaction commits.
  IF at_commit AND EXISTS (
    SELECT FROM unnest(e_id) i(id) CROSS JOIN LATERAL (
      SELECT FROM events e WHERE e.event_id = i.id AND e.position IS NOT NULL OFFSET 0
    ) e
  ) THEN
    outcomes := array_fill(5, ARRAY[cardinality(s_name)]);
    RETURN;
  END IF;

  IF is_new THEN
    PERFORM pg_advisory_xact_lock_shared('pending'::regclass::oid::integer, 0);
    PERFORM pg_advisory_xact_lock('streams'::regclass::oid::integer, h.hash)
      FROM (SELECT DISTINCT hashtext(q.name) AS hash FROM unnest(s_name, known) q(name, id) WHERE q.id = 0 ORDER BY 1) h;

    IF EXISTS (
      SELECT FROM unnest(s_name, known) q(name, id)
       WHERE q.id = 0 AND (SELECT s.stream_id FROM streams s WHERE s.name = q.name) IS NOT NULL
    ) THEN
      outcomes := array_fill(2, ARRAY[cardinality(s_name)]);
      RETURN;
    END IF;

    SELECT array_agg(CASE q.id WHEN 0 THEN nextval('streams_stream_id_seq') ELSE q.id END ORDER BY q.o)
      INTO ids FROM unnest(known) WITH ORDINALITY q(id, o);

  ELSE
    ids := known;
  END IF;

  -- Not UPDATE ... FROM, which a plan may begin with all streams.
  INSERT INTO streams (stream_id, name, category, version, created)
  SELECT q.id, q.name, q.category, q.count, q.created
    FROM unnest(ids, s_name, s_category, s_count, s_created) q(id, name, category, count, created)
      ON CONFLICT (stream_id) DO UPDATE SET version = streams.version + excluded.version;

  IF NOT at_commit THEN
    PERFORM pg_advisory_xact_lock('events'::regclass::oid::integer, 0);

    -- A new statement: it sees whatever was committed before the lock was got.
    SELECT greatest((SELECT max(e.position) FROM events e WHERE e.position IS NOT NULL), (SELECT s.floor FROM store s))
      INTO head;
  END IF;

  INSERT INTO events (position, stream_id, version, event_id, type, revision, format, data, data_json, metadata,
                      correlation, causation, time)
  SELECT head + e.o, ids[e.stream], versions[e.stream] + e.n, e.id, e.type, e.revision, e.format, e.data,
         e.json::jsonb, e.metadata::jsonb, e.correlation, e.causation, e.time
    FROM (
      SELECT generate_subscripts(e_stream, 1) AS o, unnest(e_stream) AS stream, unnest(e_offset) AS n, unnest(e_id) AS id,
             unnest(e_type) AS type, unnest(e_revision) AS revision, unnest(e_format) AS format,
             unnest(e_data) AS data, unnest(e_json) AS json, unnest(e_metadata) AS metadata,
             unnest(e_correlation) AS correlation, unnest(e_causation) AS causation, unnest(e_time) AS time
    ) e;

  -- Last: under immediate constraints the trigger has done its work by now.
  IF at_commit THEN
    INSERT INTO pending (stream_ids, versions, counts)
    SELECT array_agg(ids[o.stream] ORDER BY o.first), array_agg(versions[o.stream] + 1 ORDER BY o.first), array_agg(s_count[o.stream] ORDER BY o.first)
      FROM (SELECT e.stream, min(e.o) AS first FROM unnest(e_stream) WITH ORDINALITY e(stream, o) GROUP BY e.stream) o
    RETURNING pending_id INTO owed;

    IF NOT EXISTS (SELECT FROM pending p WHERE p.pending_id = owed) THEN
      RAISE EXCEPTION 'append under SET CONSTRAINTS ALL IMMEDIATE: positions are given at commit'
        USING ERRCODE = 'ES002', HINT = 'Set the constraints by name that must be checked at once.';
    END IF;
  END IF;
  outcomes := NULL;
  xid := pg_current_xact_id()::text;
END
$$;

REVOKE EXECUTE ON FUNCTION append_waiting FROM PUBLIC;
