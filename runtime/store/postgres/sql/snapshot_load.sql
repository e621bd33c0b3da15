-- $1 stream
SELECT version, time, revision, type, format, data, data_json::text, metadata::text
  FROM esgen.snapshots WHERE stream = $1::text;
