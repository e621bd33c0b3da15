-- The lanes of a member.
-- ?1 member
SELECT s.name, l.lane, l.place, l.token, l.error, l.error_since, l.changed
FROM lanes AS l JOIN subscriptions AS s ON s.id = l.subscription
WHERE l.owner = ?1;
