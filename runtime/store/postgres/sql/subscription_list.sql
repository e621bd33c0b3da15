-- $1 after which name, $2 limit
-- A row per lane, the first of which tells how many events are parked: to count them
-- for each would take as many times as long.
SELECT s.name, s.settings, s.paused, s.created,
       CASE WHEN l.lane = 0 THEN (SELECT count(*) FROM esgen.parked p WHERE p.subscription_id = s.id AND p.state IN ('parked', 'retry')) ELSE 0 END,
       l.lane, l.at, l.token, l.owner, m.label, m.expires, l.error, l.error_since, l.changed
  FROM esgen.subscriptions s
  JOIN esgen.lanes l ON l.subscription_id = s.id
  LEFT JOIN esgen.members m ON m.id = l.owner
 WHERE s.id IN (SELECT q.id FROM esgen.subscriptions q WHERE q.name > $1::text ORDER BY q.name LIMIT $2::integer)
 ORDER BY s.name, l.lane;
