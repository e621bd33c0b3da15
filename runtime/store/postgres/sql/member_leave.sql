-- $1 id
SELECT esgen.leave($1::uuid);
