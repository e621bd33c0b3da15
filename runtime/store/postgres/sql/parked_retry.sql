-- As parked_list.sql, of what is to be tried again only: owners ask often, and this
-- finds it by its index.
-- $1 subscription, $2 lane or -1, $3 and $4 key and place of the last event of the page
-- before, $5 whether there is one, $6 limit
SELECT p.lane, p.key, p.at, p.stream, p.version, p.position, p.event_id, p.type, p.state, p.attempts, p.error, p.reason, p.time
  FROM esgen.parked p
 WHERE p.subscription_id = (SELECT s.id FROM esgen.subscriptions s WHERE s.name = $1::text)
   AND p.state = 'retry'
   AND ($2::integer < 0 OR p.lane = $2::integer)
   AND (NOT $5::boolean OR (p.key, p.at) > ($3::text, $4::bigint))
 ORDER BY p.key, p.at LIMIT $6::integer;
