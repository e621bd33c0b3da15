-- Keeps the versions from being given again of a stream and of those that link to
-- its events, before these and the links are removed.
-- ?1 stream, ?2 version before which is removed
UPDATE streams AS s
SET floor = max(s.floor,
        coalesce((SELECT max(e.version) FROM events AS e WHERE e.stream = s.id), 0),
        coalesce((SELECT max(l.version) FROM links AS l WHERE l.stream = s.id), 0))
WHERE s.id IN (
    SELECT ?1
    UNION ALL
    SELECT i.stream
    FROM events AS e CROSS JOIN links AS i ON i.position = e.position
    WHERE e.stream = ?1 AND e.version < ?2);
