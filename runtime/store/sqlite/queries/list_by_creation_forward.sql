-- A page of streams by creation, forward. The + keeps the index of names out, which
-- would have all that are selected sorted for each page.
-- ?1 and ?2 the names from which and before which, ?3 text that names hold, ?4
-- whether softly deleted ones are included, ?5 limit, ?6 number of the last one before
SELECT s.name, s.id, max(s.floor,
           coalesce((SELECT max(e.version) FROM events AS e WHERE e.stream = s.id), 0),
           coalesce((SELECT max(l.version) FROM links AS l WHERE l.stream = s.id), 0)),
       nullif(min(
           coalesce((SELECT min(e.version) FROM events AS e WHERE e.stream = s.id AND e.version >= s.first), 9223372036854775807),
           coalesce((SELECT min(l.version) FROM links AS l WHERE l.stream = s.id AND l.version >= s.first), 9223372036854775807)),
           9223372036854775807),
       s.created, s.deleted
FROM streams AS s
WHERE +s.name >= ?1 AND +s.name < ?2
  AND (?3 = '' OR instr(s.name, ?3) > 0)
  AND (?4 OR s.deleted IS NULL)
  AND s.id > ?6
ORDER BY s.id
LIMIT ?5;
