-- $1 name
SELECT version, first, created, deleted FROM esgen.stream_info($1::text);
