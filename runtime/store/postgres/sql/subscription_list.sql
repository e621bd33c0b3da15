-- $1 after which name, $2 limit
SELECT s.name, s.settings, s.paused, s.created,
       (SELECT count(*) FROM esgen.parked p WHERE p.subscription_id = s.id AND p.state IN ('parked', 'retry')),
       l.lane, l.at, l.token, l.owner, m.label, m.expires, l.error, l.error_since, l.changed
  FROM esgen.subscriptions s
  JOIN esgen.lanes l ON l.subscription_id = s.id
  LEFT JOIN esgen.members m ON m.id = l.owner
 WHERE s.id IN (SELECT q.id FROM esgen.subscriptions q WHERE q.name > $1::text ORDER BY q.name LIMIT $2::integer)
 ORDER BY s.name, l.lane;
