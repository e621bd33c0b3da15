-- $1 name, $2 settings, $3 at, $4 now
INSERT INTO esgen.subscriptions (name, settings, at, updated)
VALUES ($1::text, $2::text, $3::bigint, $4::timestamptz)
ON CONFLICT (name) DO NOTHING;
