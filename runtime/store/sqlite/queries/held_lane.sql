-- The subscription's number and the lane's place, if somebody has it under the token.
-- ?1 name, ?2 lane, ?3 token
SELECT s.id, l.place FROM subscriptions AS s
JOIN lanes AS l ON l.subscription = s.id
WHERE s.name = ?1 AND l.lane = ?2 AND l.token = ?3 AND l.owner IS NOT NULL;
