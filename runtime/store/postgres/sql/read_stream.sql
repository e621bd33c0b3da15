-- $1 name, $2 from version, $3 width, $4 limit, $5 bytes, $6 types, $7 backward
SELECT last, position, stream, version, event_id, type, revision, correlation, causation, format, data, data_json, metadata, time, bytes
  FROM esgen.read_stream($1::text, $2::bigint, $3::bigint, $4::bigint, $5::bigint, $6::text[], $7::boolean);
