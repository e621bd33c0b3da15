-- $1 name
DELETE FROM esgen.subscriptions s WHERE s.name = $1::text;
