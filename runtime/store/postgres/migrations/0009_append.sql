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
-- (a try). While it is held no other append commits, so that versions and the last
-- position stay true until commit. A link may yet create a stream of the same name in
-- between: then this fails as a whole, by the unique name, and is sent again.
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
  locked boolean;
  -- 0 where the stream is new.
  known bigint[];
  ids bigint[];
  bases bigint[];
  creating boolean;
  is_old boolean;
  is_new boolean;
BEGIN
  -- A later statement must see what was committed while an earlier one waited.
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'append under isolation %: events can be appended under read committed only',
      current_setting('transaction_isolation') USING ERRCODE = 'ES001',
            HINT = 'Begin the transaction with isolation level READ COMMITTED.';
  END IF;

  -- An expression, not a statement: it costs less.
  locked := pg_advisory_xact_lock('events'::regclass::oid::integer, 0) IS NOT NULL;
  waited := 1e6::double precision * date_part('epoch', clock_timestamp() - statement_timestamp());

  -- Whoever creates a stream and may stay open shares this lock. If nobody does, no
  -- name needs to be tried.
  creating := NOT pg_try_advisory_xact_lock('pending'::regclass::oid::integer, 0);

  SELECT array_agg(d.known), array_agg(d.version), array_agg(d.outcome),
         array_agg(CASE WHEN d.outcome > 0 THEN 0 WHEN d.known = 0 THEN nextval('streams_stream_id_seq') ELSE d.known END),
         bool_or(d.outcome = 0 AND d.known > 0), bool_or(d.outcome = 0 AND d.known = 0),
         greatest((SELECT max(e.position) FROM events e WHERE e.position IS NOT NULL), (SELECT s.floor FROM store s))
    INTO known, versions, outcomes, ids, is_old, is_new, head
    FROM (
      SELECT coalesce(l.stream_id, 0) AS known, coalesce(l.version, z.version, 0) AS version,
             CASE
               WHEN l.deleted_at IS NOT NULL THEN 3
               WHEN l.stream_id IS NOT NULL THEN
                 CASE WHEN q.expected = -1 OR q.expected = l.version OR q.expected = -2 AND l.version > 0 THEN 0 ELSE 1 END
               WHEN z.stream_id IS NOT NULL THEN
                 CASE WHEN q.expected <> 0 OR z.version = 0 THEN 2 WHEN z.deleted_at IS NOT NULL THEN 3 ELSE 1 END
               WHEN q.expected NOT IN (-1, 0) THEN 1
               WHEN NOT creating OR pg_try_advisory_xact_lock('streams'::regclass::oid::integer, hashtext(q.name)) THEN 0
               ELSE 2
             END AS outcome
        FROM ROWS FROM (unnest(s_name), unnest(s_expected)) q(name, expected)
        -- Who expects no stream is refused if there is one, whatever its version.
        LEFT JOIN LATERAL (
          SELECT s.stream_id, s.version, s.deleted_at FROM streams s
           WHERE s.name = q.name AND q.expected <> 0 FOR NO KEY UPDATE SKIP LOCKED
        ) l ON true
        LEFT JOIN LATERAL (
          -- OFFSET keeps plans from reading all streams once instead.
          SELECT s.stream_id, s.version, s.deleted_at FROM streams s WHERE s.name = q.name AND l.stream_id IS NULL OFFSET 0
        ) z ON true
      OFFSET 0
    ) d;

  IF outcomes && ARRAY[1, 2, 3] THEN
    -- An append is refused for all its streams.
    SELECT array_agg(r.outcome ORDER BY r.o), array_agg(CASE r.outcome WHEN 0 THEN r.id ELSE 0 END ORDER BY r.o),
           array_agg(r.base ORDER BY r.o)
      INTO outcomes, ids, bases
      FROM (
        SELECT a.*, coalesce(sum(a.count) FILTER (WHERE a.outcome = 0) OVER (ORDER BY a.o ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS base
          FROM (
            SELECT q.o, q.id, q.count,
                   CASE WHEN q.outcome = 0 AND max(q.outcome) OVER (PARTITION BY q.append) > 0 THEN 4 ELSE q.outcome END AS outcome
              FROM unnest(s_append, outcomes, ids, s_count) WITH ORDINALITY q(append, outcome, id, count, o)
          ) a
      ) r;
  ELSE
    outcomes := NULL;
  END IF;

  IF is_old THEN
    -- Not UPDATE ... FROM, which a plan may begin with all streams.
    INSERT INTO streams (stream_id, name, category, version, created)
    SELECT n.id, n.name, n.category, n.count, n.created
      FROM (
        SELECT unnest(ids) AS id, unnest(s_name) AS name, unnest(s_category) AS category,
               unnest(s_count) AS count, unnest(s_created) AS created
      ) n
     WHERE n.id > 0
        ON CONFLICT (stream_id) DO UPDATE SET version = streams.version + excluded.version;
  ELSIF is_new THEN
    INSERT INTO streams (stream_id, name, category, version, created)
    SELECT n.id, n.name, n.category, n.count, n.created
      FROM (
        SELECT unnest(ids) AS id, unnest(s_name) AS name, unnest(s_category) AS category,
               unnest(s_count) AS count, unnest(s_created) AS created
      ) n
     WHERE n.id > 0;
  END IF;

  IF outcomes IS NULL THEN
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
  ELSE
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
     WHERE ids[e.stream] > 0;
  END IF;
END
$$;

REVOKE EXECUTE ON FUNCTION append FROM PUBLIC;
