-- Where an event id is stored.
-- ?1 event id
SELECT s.name, e.version, e.position
FROM events AS e JOIN streams AS s ON s.id = e.stream
WHERE e.event_id = ?1;
