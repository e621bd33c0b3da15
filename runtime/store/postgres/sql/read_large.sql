-- $1 stream ids, $2 versions, side by side
SELECT e.stream_id, e.version, e.data, e.data_json::text AS data_json, e.metadata::text AS metadata
  FROM unnest($1::bigint[], $2::bigint[]) k(stream_id, version)
 CROSS JOIN LATERAL (
   SELECT v.* FROM esgen.events v WHERE v.stream_id = k.stream_id AND v.version = k.version OFFSET 0
 ) e;
