-- $1 name, $2 category, $3 expected version, $4 ids, $5 now
SELECT version, outcome, ids FROM esgen.link($1::text, $2::text, $3::bigint, $4::uuid[], $5::timestamptz);
