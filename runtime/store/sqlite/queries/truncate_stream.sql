-- Makes reads begin with a version.
-- ?1 stream, ?2 version
UPDATE streams SET first = ?2 WHERE id = ?1;
