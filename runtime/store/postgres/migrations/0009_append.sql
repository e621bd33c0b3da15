-- Sends appends of several callers together. Each is stored whole or not at all,
-- whatever becomes of the others.
--
--   s_append             which append the stream belongs to, from 1 on
--   s_name, s_category   the streams, each once; those of one append side by side
--   s_expected           the version of each, or -1 any, -2 exists
--   s_count              how many events each gets
--   s_created            time of its first event, should the stream be new
--   e_stream             one element per event, in the order of s_name:
--                        which stream, 1 is the first of s_name
--   e_offset             1 is the stream's first new event
--   e_data, e_json       exactly one of both is not NULL
--   An array of nothing but NULLs may be NULL.
--
--   head       the position before that of the first event stored
--   versions   of the streams before this, 0 without events
--   outcomes   NULL: all are stored; else of each stream 0 stored, 1 not the expected
--              version, 2 busy: somebody else is changing or creating it,
--              3 deleted, 4 in order, but not so another stream of its append
--   waited     for the head, in microseconds, with the way to here
--
-- The head, the lock on the order of all events, is taken first, and from then on
-- nothing is waited for: no stream (SKIP LOCKED), no name that somebody is creating
-- (a try). While it is held no other append commits, so that what the second
-- statement sees stays true until commit.
CREATE FUNCTION append(
  s_append integer[], s_name text[], s_category text[], s_expected bigint[], s_count integer[], s_created timestamptz[],
  e_stream integer[], e_offset integer[], e_id uuid[], e_type text[], e_revision integer[],
  e_format text[], e_data bytea[], e_json text[], e_metadata text[],
  e_correlation uuid[], e_causation uuid[], e_time timestamptz[],
  OUT head bigint, OUT versions bigint[], OUT outcomes integer[], OUT waited integer
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path FROM CURRENT
-- A plan made for one length of the arrays, or for tables when they were young,
-- must not be a scan, nor a join that scans, of all streams; without jit off,
-- compiling plans would cost more than running them. For the same reason no EXISTS is
-- asked of many rows: it may be answered by hashing a whole table.
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET jit = off
AS $$
DECLARE
  ids bigint[];
  bases bigint[];
  refused boolean;
BEGIN
  -- A later statement must see what was committed while an earlier one waited.
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'append under isolation %: events can be appended under read committed only',
      current_setting('transaction_isolation') USING ERRCODE = 'ES001',
            HINT = 'Begin the transaction with isolation level READ COMMITTED.';
  END IF;

  PERFORM pg_advisory_xact_lock('events'::regclass::oid::integer, 0);
  waited := 1e6 * extract(epoch FROM clock_timestamp() - statement_timestamp());

  WITH q AS MATERIALIZED (
    SELECT q.*, l.stream_id, l.version, l.deleted_at
      FROM unnest(s_append, s_name, s_category, s_expected, s_count, s_created)
           WITH ORDINALITY q(append, name, category, expected, count, created, o)
      LEFT JOIN LATERAL (
        SELECT s.stream_id, s.version, s.deleted_at FROM streams s
         WHERE s.name = q.name FOR NO KEY UPDATE SKIP LOCKED
      ) l ON true
  ), decided AS MATERIALIZED (
    SELECT q.*,
           CASE
             WHEN q.deleted_at IS NOT NULL THEN 3
             WHEN q.stream_id IS NOT NULL THEN
               CASE WHEN q.expected = -1 OR q.expected = q.version OR q.expected = -2 AND q.version > 0 THEN 0 ELSE 1 END
             WHEN (SELECT z.stream_id FROM streams z WHERE z.name = q.name) IS NOT NULL THEN 2
             WHEN q.expected NOT IN (-1, 0) THEN 1
             WHEN pg_try_advisory_xact_lock('streams'::regclass::oid::integer, hashtext(q.name)) THEN 0
             ELSE 2
           END AS outcome
      FROM q
  ), answered AS MATERIALIZED (
    SELECT d.*,
           -- An append is refused for all its streams.
           CASE WHEN d.outcome = 0 AND max(d.outcome) OVER (PARTITION BY d.append) > 0 THEN 4 ELSE d.outcome END AS answer
      FROM decided d
  ), numbered AS MATERIALIZED (
    SELECT a.*,
           CASE WHEN a.answer > 0 THEN 0
                WHEN a.stream_id IS NULL THEN nextval('streams_stream_id_seq')
                ELSE a.stream_id END AS id,
           coalesce(sum(a.count) FILTER (WHERE a.answer = 0) OVER (ORDER BY a.o ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS base
      FROM answered a
  ), changed AS (
    UPDATE streams s SET version = s.version + n.count
      FROM numbered n WHERE n.answer = 0 AND s.stream_id = n.stream_id
  ), created AS (
    INSERT INTO streams (stream_id, name, category, version, created)
    SELECT n.id, n.name, n.category, n.count, n.created FROM numbered n WHERE n.answer = 0 AND n.stream_id IS NULL
  )
  SELECT array_agg(n.id), array_agg(n.base), array_agg(coalesce(n.version, 0)), array_agg(n.answer), max(n.answer) > 0,
         greatest((SELECT max(e.position) FROM events e WHERE e.position IS NOT NULL), (SELECT s.floor FROM store s))
    INTO ids, bases, versions, outcomes, refused, head
    FROM (SELECT * FROM numbered ORDER BY o) n;

  IF refused THEN
    INSERT INTO events (position, stream_id, version, event_id, type, revision, format, data, data_json, metadata,
                        correlation, causation, time)
    SELECT head + bases[e.stream] + e.n, ids[e.stream], versions[e.stream] + e.n, e.id, e.type, e.revision, e.format,
           e.data, e.json::jsonb, e.metadata::jsonb, e.correlation, e.causation, e.time
      FROM (
        SELECT unnest(e_stream) AS stream, unnest(e_offset) AS n, unnest(e_id) AS id,
               unnest(e_type) AS type, unnest(e_revision) AS revision, unnest(e_format) AS format,
               unnest(e_data) AS data, unnest(e_json) AS json, unnest(e_metadata) AS metadata,
               unnest(e_correlation) AS correlation, unnest(e_causation) AS causation, unnest(e_time) AS time
      ) e
     WHERE ids[e.stream] <> 0;
  ELSE
    outcomes := NULL;
    INSERT INTO events (position, stream_id, version, event_id, type, revision, format, data, data_json, metadata,
                        correlation, causation, time)
    SELECT head + e.o, ids[e.stream], versions[e.stream] + e.n, e.id, e.type, e.revision, e.format,
           e.data, e.json::jsonb, e.metadata::jsonb, e.correlation, e.causation, e.time
      FROM (
        SELECT generate_subscripts(e_stream, 1) AS o, unnest(e_stream) AS stream, unnest(e_offset) AS n, unnest(e_id) AS id,
               unnest(e_type) AS type, unnest(e_revision) AS revision, unnest(e_format) AS format,
               unnest(e_data) AS data, unnest(e_json) AS json, unnest(e_metadata) AS metadata,
               unnest(e_correlation) AS correlation, unnest(e_causation) AS causation, unnest(e_time) AS time
      ) e;
  END IF;
END
$$;

REVOKE EXECUTE ON FUNCTION append FROM PUBLIC;
