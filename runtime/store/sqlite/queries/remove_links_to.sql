-- Removes the links to events of a stream.
-- ?1 stream, ?2 version before which
DELETE FROM links
WHERE position IN (SELECT e.position FROM events AS e WHERE e.stream = ?1 AND e.version < ?2);
