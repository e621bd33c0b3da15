-- $1 stream
DELETE FROM esgen.snapshots WHERE stream = $1::text;
