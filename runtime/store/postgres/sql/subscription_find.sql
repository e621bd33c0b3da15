-- $1 name
SELECT s.name, s.settings, s.paused, s.created,
       (SELECT count(*) FROM esgen.parked p WHERE p.subscription_id = s.id AND p.state IN ('parked', 'retry')),
       l.lane, l.at, l.token, l.owner, m.label, m.expires, l.error, l.error_since, l.changed
  FROM esgen.subscriptions s
  JOIN esgen.lanes l ON l.subscription_id = s.id
  LEFT JOIN esgen.members m ON m.id = l.owner
 WHERE s.name = $1::text
 ORDER BY l.lane;
