-- $1 stream ids
SELECT s.stream_id, s.name FROM esgen.streams s WHERE s.stream_id = ANY ($1::bigint[]);
