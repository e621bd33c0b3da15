-- An event to link, and the version at which a stream holds it, NULL if it does not.
-- ?1 event id, ?2 number of the stream or NULL
SELECT e.position, iif(e.stream = ?2, e.version,
                       (SELECT l.version FROM links AS l WHERE l.position = e.position AND l.stream = ?2))
FROM events AS e
WHERE e.event_id = ?1;
