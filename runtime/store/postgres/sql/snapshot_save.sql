-- $1 stream, $2 version, $3 time, $4 revision, $5 type, $6 format, $7 data, $8 JSON data, $9 metadata
INSERT INTO esgen.snapshots AS s (stream, version, time, revision, type, format, data, data_json, metadata)
VALUES ($1::text, $2::bigint, $3::timestamptz, $4::integer, $5::text, $6::text, $7::bytea, $8::text::jsonb, $9::text::jsonb)
ON CONFLICT (stream) DO UPDATE
   SET version = excluded.version, time = excluded.time, revision = excluded.revision, type = excluded.type,
       format = excluded.format, data = excluded.data, data_json = excluded.data_json, metadata = excluded.metadata
 WHERE s.version <= excluded.version;
