-- Lanes whose owner's membership has ended and that nobody has taken over, and lanes
-- whose owner cannot go on: the longest first.
SELECT s.name, l.lane, l.at, l.owner, m.label, m.expires <= clock_timestamp() AS ended,
       extract(epoch FROM clock_timestamp() - CASE WHEN m.expires <= clock_timestamp() THEN m.expires ELSE l.error_since END)::float8 AS since,
       coalesce(l.error, '') AS error
  FROM esgen.lanes l
  JOIN esgen.subscriptions s ON s.id = l.subscription_id
  JOIN esgen.members m ON m.id = l.owner
 WHERE m.expires <= clock_timestamp() OR l.error IS NOT NULL
 ORDER BY since DESC, s.name, l.lane
 LIMIT 50
