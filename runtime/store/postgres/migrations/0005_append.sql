-- Appends events to one or more streams: all or, if outcome is not 0, none.
--
--   s_name, s_category   the streams, each once, in the order of their names
--   s_expected           the version of each, or -1 any, -2 exists
--   s_count              how many events each gets
--   s_created            time of its first event, should the stream be new
--   e_stream             one element per event, in the order of positions:
--                        which stream, 1 is the first of s_name
--   e_offset             1 is the stream's first new event
--   e_data, e_json       exactly one of both is not NULL
--
--   outcome    0 stored; 1 conflict; 2 a stream has just been created by somebody
--              else: call again
--   versions   of the streams before this append; 0 is a stream without events
--   head       the position before that of the first event
--
-- Whoever calls this may wait, for strangers too, and holds no lock that anybody
-- but a writer of the same streams would miss: streams come first, in the order of
-- their names, then the names of new ones, in the order of their hashes, then the
-- head, the lock on the order of all events, until commit. Nobody waits for an
-- earlier kind while holding a later one, so that calls cannot deadlock.
CREATE FUNCTION append(
  s_name text[], s_category text[], s_expected bigint[], s_count integer[], s_created timestamptz[],
  e_stream integer[], e_offset integer[], e_id uuid[], e_type text[], e_revision integer[],
  e_format text[], e_data bytea[], e_json text[], e_metadata text[],
  e_correlation uuid[], e_causation uuid[], e_time timestamptz[],
  OUT outcome integer, OUT versions bigint[], OUT head bigint
)
LANGUAGE plpgsql
SET search_path FROM CURRENT
-- A plan made for one length of the arrays, or for tables when they were young,
-- must not be a sequential scan; without it, compiling plans would cost more than
-- running them.
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET jit = off
AS $$
DECLARE
  -- 0 where the stream is new.
  known bigint[];
  ids bigint[];
  is_new boolean;
  conflict boolean;
BEGIN
  -- A later statement must see what was committed while an earlier one waited.
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'append under isolation %: events can be appended under read committed only',
      current_setting('transaction_isolation') USING ERRCODE = 'ES001';
  END IF;

  SELECT array_agg(coalesce(l.stream_id, 0) ORDER BY q.o), array_agg(coalesce(l.version, 0) ORDER BY q.o),
         bool_or(l.stream_id IS NULL),
         bool_or(CASE WHEN q.expected = -1 THEN false
                      WHEN q.expected = -2 THEN coalesce(l.version, 0) = 0
                      ELSE q.expected <> coalesce(l.version, 0) END)
    INTO known, versions, is_new, conflict
    FROM unnest(s_name, s_expected) WITH ORDINALITY q(name, expected, o)
    LEFT JOIN LATERAL (
      SELECT s.stream_id, s.version FROM streams s WHERE s.name = q.name FOR NO KEY UPDATE
    ) l ON true;

  IF conflict THEN
    outcome := 1;
    RETURN;
  END IF;

  IF is_new THEN
    PERFORM pg_advisory_xact_lock('streams'::regclass::oid::integer, h.hash)
      FROM (SELECT DISTINCT hashtext(q.name) AS hash FROM unnest(s_name, known) q(name, id) WHERE q.id = 0 ORDER BY 1) h;

    IF EXISTS (
      SELECT FROM unnest(s_name, known) q(name, id)
       WHERE q.id = 0 AND EXISTS (SELECT FROM streams s WHERE s.name = q.name)
    ) THEN
      outcome := 2;
      RETURN;
    END IF;

    SELECT array_agg(CASE q.id WHEN 0 THEN nextval('streams_stream_id_seq') ELSE q.id END ORDER BY q.o)
      INTO ids FROM unnest(known) WITH ORDINALITY q(id, o);

    INSERT INTO streams (stream_id, name, category, version, created)
    SELECT q.id, q.name, q.category, q.count, q.created
      FROM unnest(ids, known, s_name, s_category, s_count, s_created) q(id, known, name, category, count, created)
     WHERE q.known = 0;
  ELSE
    ids := known;
  END IF;

  UPDATE streams s SET version = s.version + q.count
    FROM unnest(known, s_count) q(id, count)
   WHERE s.stream_id = q.id AND q.id <> 0;

  PERFORM pg_advisory_xact_lock('events'::regclass::oid::integer, 0);

  -- A new statement: it sees whatever was committed before the lock was got.
  SELECT greatest((SELECT max(e.position) FROM events e WHERE e.position IS NOT NULL), (SELECT s.floor FROM store s))
    INTO head;

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
  outcome := 0;
END
$$;
