-- $1 subscriptions, $2 lanes, $3 tokens
UPDATE esgen.lanes l SET owner = NULL, token = l.token + 1, error = NULL, error_since = NULL
  FROM (
    SELECT k.subscription_id, k.lane
      FROM unnest($1::text[], $2::integer[], $3::bigint[]) q(name, lane, token)
      JOIN esgen.subscriptions s ON s.name = q.name
      JOIN esgen.lanes k ON k.subscription_id = s.id AND k.lane = q.lane
     WHERE k.token = q.token AND k.owner IS NOT NULL
     ORDER BY k.subscription_id, k.lane FOR NO KEY UPDATE OF k
  ) h
 WHERE l.subscription_id = h.subscription_id AND l.lane = h.lane;
