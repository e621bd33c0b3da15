-- $1 name
SELECT version, created FROM esgen.stream_info($1::text);
