-- Keeps the snapshot of the higher version.
-- ?1 stream, ?2 version, ?3 type, ?4 revision, ?5 format, ?6 time in
-- microseconds, ?7 metadata or NULL, ?8 data
INSERT INTO snapshots (stream, version, type, revision, format, time, metadata, data)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
ON CONFLICT (stream) DO UPDATE
SET version = excluded.version, type = excluded.type, revision = excluded.revision,
    format = excluded.format, time = excluded.time, metadata = excluded.metadata, data = excluded.data
WHERE excluded.version >= snapshots.version;
