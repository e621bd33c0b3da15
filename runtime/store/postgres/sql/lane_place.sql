-- $1 subscription, $2 lane, $3 token; waits for who moves the lane now
SELECT l.at FROM esgen.subscriptions s
  JOIN esgen.lanes l ON l.subscription_id = s.id
 WHERE s.name = $1::text AND l.lane = $2::integer AND l.token = $3::bigint
   FOR NO KEY UPDATE OF l;
