-- $1 from position, $2 width, $3 limit, $4 bytes, $5 categories, $6 types, $7 backward
SELECT last, position, stream, version, event_id, type, revision, correlation, causation, format, data, data_json, metadata, time, bytes
  FROM esgen.read_all($1::bigint, $2::bigint, $3::bigint, $4::bigint, $5::text[], $6::text[], $7::boolean);
