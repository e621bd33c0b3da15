-- Removes the links in a stream.
-- ?1 stream, ?2 version before which
DELETE FROM links WHERE stream = ?1 AND version < ?2;
