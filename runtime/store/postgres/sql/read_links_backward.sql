-- $1 name, $2 first version, $3 last version, $4 limit
-- What read_stream.sql returns, of a stream that has links: at is the version in the stream, stream_id and version are
-- where the event was appended.
-- The column large is not NULL where payload or metadata are left for read_large.sql.
-- /* filter */ is where conditions on e are put.
SELECT s.version AS last, CASE WHEN s.deleted_at IS NOT NULL THEN 2 WHEN s.linked THEN 1 ELSE 0 END AS state, e.*
  FROM esgen.streams s
  LEFT JOIN LATERAL (
    SELECT m.at, e.position, e.stream_id, e.version, e.event_id, e.type, e.revision, e.correlation, e.causation, e.format,
           CASE WHEN octet_length(e.data) <= 8192 THEN e.data END AS data,
           CASE WHEN pg_column_size(e.data_json) <= 8192 THEN e.data_json::text END AS data_json,
           CASE WHEN pg_column_size(e.metadata) <= 8192 THEN e.metadata::text END AS metadata,
           e.time,
           CASE WHEN octet_length(e.data) > 8192 OR pg_column_size(e.data_json) > 8192 OR pg_column_size(e.metadata) > 8192
                THEN coalesce(octet_length(e.data), pg_column_size(e.data_json)) + coalesce(pg_column_size(e.metadata), 0)
           END AS large
      FROM (
        SELECT o.version AS at, o.stream_id AS origin_id, o.version AS origin_version
          FROM esgen.events o
         WHERE o.stream_id = s.stream_id AND o.version BETWEEN greatest($2::bigint, s.first) AND $3::bigint
        UNION ALL
        SELECT l.version, l.origin_id, l.origin_version
          FROM esgen.links l
         WHERE l.stream_id = s.stream_id AND l.version BETWEEN greatest($2::bigint, s.first) AND $3::bigint
      ) m
      JOIN esgen.events e ON e.stream_id = m.origin_id AND e.version = m.origin_version
     WHERE s.deleted_at IS NULL /* filter */
     ORDER BY m.at DESC LIMIT $4::bigint
  ) e ON true
 WHERE s.name = $1::text;
