-- $1 subscription, $2 lane, $3 token, $4 key, $5 place; returns 1 if the lane is held.
-- The subscription is not locked: in a handler's transaction the lane is already, for
-- which those wait who have the subscription's row.
WITH held AS MATERIALIZED (
  SELECT s.id FROM esgen.subscriptions s
    JOIN esgen.lanes l ON l.subscription_id = s.id
   WHERE s.name = $1::text AND l.lane = $2::integer AND l.token = $3::bigint AND l.owner IS NOT NULL
     FOR NO KEY UPDATE OF l
), gone AS (
  DELETE FROM esgen.parked p USING held h
   WHERE p.subscription_id = h.id AND p.key = $4::text AND p.at = $5::bigint
)
SELECT count(*) FROM held;
