-- A stream to write to: its number, category, version, and whether it is deleted.
-- ?1 name
SELECT s.id, s.category, max(s.floor,
           coalesce((SELECT max(e.version) FROM events AS e WHERE e.stream = s.id), 0),
           coalesce((SELECT max(l.version) FROM links AS l WHERE l.stream = s.id), 0)),
       s.deleted
FROM streams AS s
WHERE s.name = ?1;
