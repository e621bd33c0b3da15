-- A row per lane, the first of which tells how many events are parked: to count them
-- for each would take as many times as long.
-- ?1 after which name, ?2 limit
SELECT s.name, s.settings, s.paused, s.created,
    CASE WHEN l.lane = 0 THEN (SELECT count(*) FROM parked AS p WHERE p.subscription = s.id AND p.state IN ('parked', 'retry')) ELSE 0 END,
    l.lane, l.place, l.token, l.owner, m.label, m.expires, l.error, l.error_since, l.changed
FROM subscriptions AS s
JOIN lanes AS l ON l.subscription = s.id
LEFT JOIN members AS m ON m.id = l.owner
WHERE s.name IN (SELECT name FROM subscriptions WHERE name > ?1 ORDER BY name LIMIT ?2)
ORDER BY s.name, l.lane;
