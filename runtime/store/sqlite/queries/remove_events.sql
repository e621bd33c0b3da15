-- Removes the events of a stream.
-- ?1 stream, ?2 version before which
DELETE FROM events WHERE stream = ?1 AND version < ?2;
