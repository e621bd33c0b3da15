-- Lanes whose owner's membership has ended and that nobody has taken over, and lanes
-- whose owner cannot go on, with since when.
-- ?1 now
SELECT s.name, l.lane, l.place, l.owner, m.label, m.expires <= ?1,
    CASE WHEN m.expires <= ?1 THEN m.expires ELSE l.error_since END, coalesce(l.error, '')
FROM members AS m
JOIN lanes AS l ON l.owner = m.id
JOIN subscriptions AS s ON s.id = l.subscription
WHERE m.expires <= ?1 OR l.error IS NOT NULL;
