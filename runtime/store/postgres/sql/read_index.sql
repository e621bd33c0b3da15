-- $1 first position, $2 last position, $3 limit, $4 values of the column that is indexed with the position
-- Comparing both columns together leaves the planner no other index than theirs.
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
  FROM unnest($4::text[]) k(key)
 CROSS JOIN LATERAL (
   SELECT e.* FROM esgen.events e
    WHERE (e.type, e.position) >= (k.key, $1::bigint) AND (e.type, e.position) <= (k.key, $2::bigint)
      AND e.position IS NOT NULL /* filter */
    ORDER BY e.type, e.position LIMIT $3::bigint
 ) e
 ORDER BY e.position LIMIT $3::bigint;
