-- $1 name
SELECT s.stream_id, s.version FROM esgen.streams s WHERE s.name = $1::text;
