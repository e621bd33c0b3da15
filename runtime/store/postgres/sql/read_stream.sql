-- $1 name, $2 first version, $3 last version, $4 limit
-- No row: no such stream. last is its version, state 1 if it may have links, 2 if it is deleted. A row without an
-- event: there is none in these versions.
-- The column large is not NULL where payload or metadata are left for read_large.sql.
-- /* filter */ is where conditions on e are put.
SELECT s.version AS last, CASE WHEN s.deleted_at IS NOT NULL THEN 2 WHEN s.linked THEN 1 ELSE 0 END AS state, e.*
  FROM esgen.streams s
  LEFT JOIN LATERAL (
    SELECT e.version AS at, e.position, e.stream_id, e.version, e.event_id, e.type, e.revision, e.correlation, e.causation, e.format,
           CASE WHEN octet_length(e.data) <= 8192 THEN e.data END AS data,
           CASE WHEN pg_column_size(e.data_json) <= 8192 THEN e.data_json::text END AS data_json,
           CASE WHEN pg_column_size(e.metadata) <= 8192 THEN e.metadata::text END AS metadata,
           e.time,
           CASE WHEN octet_length(e.data) > 8192 OR pg_column_size(e.data_json) > 8192 OR pg_column_size(e.metadata) > 8192
                THEN coalesce(octet_length(e.data), pg_column_size(e.data_json)) + coalesce(pg_column_size(e.metadata), 0)
           END AS large
      FROM esgen.events e
     WHERE e.stream_id = s.stream_id AND e.version BETWEEN greatest($2::bigint, s.first) AND $3::bigint
       AND s.deleted_at IS NULL /* filter */
     ORDER BY e.version LIMIT $4::bigint
  ) e ON true
 WHERE s.name = $1::text;
