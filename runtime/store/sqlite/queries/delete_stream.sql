-- Deletes softly, or with NULL undoes that.
-- ?1 stream, ?2 when in microseconds or NULL
UPDATE streams SET deleted = ?2 WHERE id = ?1;
