-- $1 name, $2 expected version, $3 now
SELECT version, deleted, done FROM esgen.delete_stream($1::text, $2::bigint, $3::timestamptz);
