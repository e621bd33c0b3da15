-- $1 name, $2 first version
SELECT version, deleted, done FROM esgen.truncate_stream($1::text, $2::bigint);
