-- $1 stream
SELECT version, time, revision, type, format, data, data_json, metadata FROM esgen.load_snapshot($1::text);
