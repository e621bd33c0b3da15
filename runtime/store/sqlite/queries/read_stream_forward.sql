-- A page of a stream, forward: its own events merged with links. A stream that is
-- deleted shows none.
-- ?1 first version, ?2 last version, ?3 JSON array of types or NULL, ?4 and ?5 the
-- times from which and before which in microseconds, or NULL, ?6 JSON object of
-- metadata or NULL, ?7 limit,
-- ?8 name
SELECT e.position, s.name, e.version, s.name, e.version, e.event_id, e.type, e.revision,
       e.time, e.correlation, e.causation, e.format, e.metadata, e.data
FROM streams AS s CROSS JOIN events AS e ON e.stream = s.id
WHERE s.name = ?8 AND s.deleted IS NULL
  AND e.version BETWEEN max(?1, s.first) AND ?2
  AND (?3 IS NULL OR e.type IN (SELECT value FROM json_each(?3)))
  AND (?4 IS NULL OR e.time >= ?4)
  AND (?5 IS NULL OR e.time < ?5)
  AND (?6 IS NULL OR NOT EXISTS (
      SELECT 1 FROM json_each(?6) AS want
      WHERE want.value IS NOT (
          SELECT iif(last.type = 'text', last.value, NULL)
          FROM (SELECT max(has.id), has.type, has.value
                FROM json_each(e.metadata) AS has WHERE has.key = want.key) AS last)))
UNION ALL
SELECT e.position, s.name, l.version, o.name, e.version, e.event_id, e.type, e.revision,
       e.time, e.correlation, e.causation, e.format, e.metadata, e.data
FROM streams AS s
    CROSS JOIN links AS l ON l.stream = s.id
    CROSS JOIN events AS e ON e.position = l.position
    CROSS JOIN streams AS o ON o.id = e.stream
WHERE s.name = ?8 AND s.deleted IS NULL
  AND l.version BETWEEN max(?1, s.first) AND ?2
  AND (?3 IS NULL OR e.type IN (SELECT value FROM json_each(?3)))
  AND (?4 IS NULL OR e.time >= ?4)
  AND (?5 IS NULL OR e.time < ?5)
  AND (?6 IS NULL OR NOT EXISTS (
      SELECT 1 FROM json_each(?6) AS want
      WHERE want.value IS NOT (
          SELECT iif(last.type = 'text', last.value, NULL)
          FROM (SELECT max(has.id), has.type, has.value
                FROM json_each(e.metadata) AS has WHERE has.key = want.key) AS last)))
ORDER BY 3
LIMIT ?7;
