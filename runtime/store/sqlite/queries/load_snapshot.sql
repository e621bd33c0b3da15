-- ?1 stream
SELECT version, type, revision, format, time, metadata, data FROM snapshots WHERE stream = ?1;
