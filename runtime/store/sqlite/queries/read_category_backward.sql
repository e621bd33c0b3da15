-- A page of one category, backward.
-- ?1 first position, ?2 last position, ?3 JSON array of types or NULL, ?4 and ?5 the
-- times from which and before which in microseconds, or NULL, ?6 JSON object of
-- metadata or NULL, ?7 limit, ?8 name of the category
SELECT e.position, s.name, e.version, s.name, e.version, e.event_id, e.type, e.revision,
       e.time, e.correlation, e.causation, e.format, e.metadata, e.data
FROM events AS e CROSS JOIN streams AS s ON s.id = e.stream
WHERE e.category = (SELECT id FROM categories WHERE name = ?8)
  AND e.position BETWEEN ?1 AND ?2
  AND (?3 IS NULL OR e.type IN (SELECT value FROM json_each(?3)))
  AND (?4 IS NULL OR e.time >= ?4)
  AND (?5 IS NULL OR e.time < ?5)
  AND (?6 IS NULL OR NOT EXISTS (
      SELECT 1 FROM json_each(?6) AS want
      WHERE want.value IS NOT (
          SELECT iif(last.type = 'text', last.value, NULL)
          FROM (SELECT max(has.id), has.type, has.value
                FROM json_each(e.metadata) AS has WHERE has.key = want.key) AS last)))
ORDER BY e.position DESC
LIMIT ?7;
