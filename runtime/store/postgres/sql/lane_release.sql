-- $1 subscriptions, $2 lanes, $3 tokens; returns the indexes of those whose lane another
-- transaction has locked: a renewal comes after this, and must not wait for it
WITH held AS MATERIALIZED (
  SELECT q.o, k.subscription_id, k.lane
    FROM unnest($1::text[], $2::integer[], $3::bigint[]) WITH ORDINALITY q(name, lane, token, o)
    JOIN esgen.subscriptions s ON s.name = q.name
    JOIN esgen.lanes k ON k.subscription_id = s.id AND k.lane = q.lane
   WHERE k.token = q.token AND k.owner IS NOT NULL
   ORDER BY k.subscription_id, k.lane FOR NO KEY UPDATE OF k SKIP LOCKED
), freed AS (
  UPDATE esgen.lanes l SET owner = NULL, token = l.token + 1, error = NULL, error_since = NULL
    FROM held h
   WHERE l.subscription_id = h.subscription_id AND l.lane = h.lane
)
SELECT array_agg((q.o - 1)::integer)
  FROM unnest($1::text[], $2::integer[], $3::bigint[]) WITH ORDINALITY q(name, lane, token, o)
  JOIN esgen.subscriptions s ON s.name = q.name
  JOIN esgen.lanes l ON l.subscription_id = s.id AND l.lane = q.lane
 WHERE l.token = q.token AND l.owner IS NOT NULL
   AND NOT EXISTS (SELECT FROM held h WHERE h.o = q.o);
