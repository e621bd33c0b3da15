-- What is known of a stream: as in a list of streams.
-- ?1 name
SELECT s.name, s.id, max(s.floor,
           coalesce((SELECT max(e.version) FROM events AS e WHERE e.stream = s.id), 0),
           coalesce((SELECT max(l.version) FROM links AS l WHERE l.stream = s.id), 0)),
       nullif(min(
           coalesce((SELECT min(e.version) FROM events AS e WHERE e.stream = s.id AND e.version >= s.first), 9223372036854775807),
           coalesce((SELECT min(l.version) FROM links AS l WHERE l.stream = s.id AND l.version >= s.first), 9223372036854775807)),
           9223372036854775807),
       s.created, s.deleted
FROM streams AS s
WHERE s.name = ?1;
