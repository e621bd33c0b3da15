-- Removes a stream that holds nothing any more.
-- ?1 stream
DELETE FROM streams WHERE id = ?1;
