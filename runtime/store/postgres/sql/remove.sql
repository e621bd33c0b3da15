-- $1 name, $2 expected version, $3 first version that stays, NULL for none
SELECT version, deleted, done FROM esgen.remove($1::text, $2::bigint, $3::bigint);
