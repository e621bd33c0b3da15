-- A stream, its version, and when it was created.
-- ?1 name
SELECT s.id, s.category, s.created, (SELECT max(e.version) FROM events AS e WHERE e.stream = s.id)
FROM streams AS s
WHERE s.name = ?1;
