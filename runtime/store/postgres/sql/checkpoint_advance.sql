-- $1 name, $2 from, $3 to, $4 now
UPDATE esgen.subscriptions SET at = $3::bigint, updated = $4::timestamptz
 WHERE name = $1::text AND at = $2::bigint;
