-- $1 subscriptions, $2 lanes, $3 tokens, $4 from, $5 to; returns the indexes of the
-- moves that were made, or had been made, and of those whose lane another transaction
-- has locked, which may be a handler's that nobody ends: the others do not wait for it
WITH held AS MATERIALIZED (
  SELECT q.o, l.subscription_id, l.lane, q.target, l.at
    FROM unnest($1::text[], $2::integer[], $3::bigint[], $4::bigint[], $5::bigint[])
         WITH ORDINALITY q(name, lane, token, origin, target, o)
    JOIN esgen.subscriptions s ON s.name = q.name
    JOIN esgen.lanes l ON l.subscription_id = s.id AND l.lane = q.lane
   WHERE l.token = q.token AND l.owner IS NOT NULL AND l.at IN (q.origin, q.target)
   ORDER BY l.subscription_id, l.lane FOR NO KEY UPDATE OF l SKIP LOCKED
), moved AS (
  UPDATE esgen.lanes l SET at = h.target, changed = clock_timestamp()
    FROM held h
   WHERE l.subscription_id = h.subscription_id AND l.lane = h.lane AND h.at <> h.target
)
SELECT (SELECT array_agg((h.o - 1)::integer) FROM held h),
       CASE WHEN (SELECT count(*) FROM held) < cardinality($1::text[]) THEN (
         SELECT array_agg((q.o - 1)::integer)
           FROM unnest($1::text[], $2::integer[], $3::bigint[], $4::bigint[], $5::bigint[])
                WITH ORDINALITY q(name, lane, token, origin, target, o)
           JOIN esgen.subscriptions s ON s.name = q.name
           JOIN esgen.lanes l ON l.subscription_id = s.id AND l.lane = q.lane
          WHERE l.token = q.token AND l.owner IS NOT NULL AND l.at IN (q.origin, q.target)
            AND NOT EXISTS (SELECT FROM held h WHERE h.o = q.o)
       ) END;
