-- A page of one category, forward.
-- ?1 first position, ?2 last position, ?3 JSON array of types or NULL, ?4 limit,
-- ?5 name of the category
SELECT e.position, s.name, e.version, e.event_id, e.type, e.revision,
       e.time, e.correlation, e.causation, e.format, e.metadata, e.data
FROM events AS e CROSS JOIN streams AS s ON s.id = e.stream
WHERE e.category = (SELECT id FROM categories WHERE name = ?5)
  AND e.position BETWEEN ?1 AND ?2
  AND (?3 IS NULL OR e.type IN (SELECT value FROM json_each(?3)))
ORDER BY e.position
LIMIT ?4;
