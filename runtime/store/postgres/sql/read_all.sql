-- $1 from position, $2 width, $3 limit, $4 categories, $5 types, $6 backward
SELECT last, position, stream, version, event_id, type, revision, correlation, causation, format, data, data_json, metadata, time
  FROM esgen.read_all($1::bigint, $2::bigint, $3::bigint, $4::text[], $5::text[], $6::boolean);
