-- $1 name, $2 from version, $3 width, $4 limit, $5 types, $6 backward
SELECT last, position, stream, version, event_id, type, revision, correlation, causation, format, data, data_json, metadata, time
  FROM esgen.read_stream($1::text, $2::bigint, $3::bigint, $4::bigint, $5::text[], $6::boolean);
