-- $1 stream ids, $2 versions, side by side
SELECT e.stream_id, e.version, e.data, e.data_json::text AS data_json, e.metadata::text AS metadata
  FROM unnest($1::bigint[], $2::bigint[]) k(stream_id, version)
  JOIN esgen.events e ON e.stream_id = k.stream_id AND e.version = k.version;
