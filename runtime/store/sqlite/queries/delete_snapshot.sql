-- ?1 stream
DELETE FROM snapshots WHERE stream = ?1;
