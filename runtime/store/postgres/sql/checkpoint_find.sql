-- $1 name
SELECT settings, at, updated FROM esgen.subscriptions WHERE name = $1::text;
