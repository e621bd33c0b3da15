-- ?1 position, ?2 stream, ?3 version, ?4 category or NULL, ?5 event id,
-- ?6 type, ?7 revision, ?8 time in microseconds, ?9 correlation or NULL,
-- ?10 causation or NULL, ?11 format, ?12 metadata or NULL, ?13 data
INSERT INTO events (position, stream, version, category, event_id, type, revision, time,
                    correlation, causation, format, metadata, data)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13);
