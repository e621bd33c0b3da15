-- $1 subscription, $2 lane or -1, $3 key or NULL, $4 states or NULL, $5 and $6 key and
-- place of the last event of the page before, $7 whether there is one, $8 limit
SELECT p.lane, p.key, p.at, p.stream, p.version, p.position, p.event_id, p.type, p.state, p.attempts, p.error, p.reason, p.time
  FROM esgen.parked p
 WHERE p.subscription_id = (SELECT s.id FROM esgen.subscriptions s WHERE s.name = $1::text)
   AND ($2::integer < 0 OR p.lane = $2::integer)
   AND ($3::text IS NULL OR p.key = $3::text)
   AND ($4::text[] IS NULL OR p.state = ANY ($4::text[]))
   AND (NOT $7::boolean OR (p.key, p.at) > ($5::text, $6::bigint))
 ORDER BY p.key, p.at LIMIT $8::integer;
