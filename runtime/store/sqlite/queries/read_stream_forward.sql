-- A page of a stream, forward.
-- ?1 first version, ?2 last version, ?3 JSON array of types or NULL, ?4 limit, ?5 name
SELECT e.position, ?5, e.version, e.event_id, e.type, e.revision,
       e.time, e.correlation, e.causation, e.format, e.metadata, e.data
FROM events AS e
WHERE e.stream = (SELECT id FROM streams WHERE name = ?5)
  AND e.version BETWEEN ?1 AND ?2
  AND (?3 IS NULL OR e.type IN (SELECT value FROM json_each(?3)))
ORDER BY e.version
LIMIT ?4;
