-- $1 name
SELECT version, created FROM esgen.streams WHERE name = $1::text AND version > 0;
