-- $1 first position, $2 last position, $3 limit
-- Positions in subqueries are not known to the planner: of a range that seems to be all of a young table it would
-- sort all.
-- The column large is not NULL where payload or metadata are left for read_large.sql.
-- /* filter */ is where conditions on e are put.
SELECT e.position, e.stream_id, e.version, e.event_id, e.type, e.revision, e.correlation, e.causation, e.format,
       CASE WHEN octet_length(e.data) <= 8192 THEN e.data END AS data,
       CASE WHEN pg_column_size(e.data_json) <= 8192 THEN e.data_json::text END AS data_json,
       CASE WHEN pg_column_size(e.metadata) <= 8192 THEN e.metadata::text END AS metadata,
       e.time,
       CASE WHEN octet_length(e.data) > 8192 OR pg_column_size(e.data_json) > 8192 OR pg_column_size(e.metadata) > 8192
            THEN coalesce(octet_length(e.data), pg_column_size(e.data_json)) + coalesce(pg_column_size(e.metadata), 0)
       END AS large
  FROM esgen.events e
 WHERE e.position BETWEEN (SELECT $1::bigint) AND (SELECT $2::bigint) /* filter */
 ORDER BY e.position DESC LIMIT $3::bigint;
