-- A page of several categories, backward. Each gives at most a page, by its own
-- index entries, of which the first page in all are taken: one category's many
-- events are never sorted to find another's few.
-- ?1 first position, ?2 last position, ?3 JSON array of types or NULL, ?4 and ?5 the
-- times from which and before which in microseconds, or NULL, ?6 JSON object of
-- metadata or NULL, ?7 limit,
-- ?8 JSON array of the names of the categories
SELECT e.position, s.name, e.version, s.name, e.version, e.event_id, e.type, e.revision,
       e.time, e.correlation, e.causation, e.format, e.metadata, e.data
FROM (
    SELECT m.position
    FROM json_each(?8) AS n
        CROSS JOIN categories AS c ON c.name = n.value
        CROSS JOIN events AS m ON m.position IN (
            SELECT i.position
            FROM events AS i
            WHERE i.category = c.id
              AND i.position BETWEEN ?1 AND ?2
              AND (?3 IS NULL OR i.type IN (SELECT value FROM json_each(?3)))
              AND (?4 IS NULL OR i.time >= ?4)
              AND (?5 IS NULL OR i.time < ?5)
              AND (?6 IS NULL OR NOT EXISTS (
                  SELECT 1 FROM json_each(?6) AS want
                  WHERE want.value IS NOT (
                      SELECT iif(last.type = 'text', last.value, NULL)
                      FROM (SELECT max(has.id), has.type, has.value
                            FROM json_each(i.metadata) AS has WHERE has.key = want.key) AS last)))
            ORDER BY i.position DESC
            LIMIT ?7)
    ORDER BY m.position DESC
    LIMIT ?7
) AS p
    CROSS JOIN events AS e ON e.position = p.position
    CROSS JOIN streams AS s ON s.id = e.stream
ORDER BY e.position DESC;
