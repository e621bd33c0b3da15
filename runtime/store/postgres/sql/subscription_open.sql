-- $1 name, $2 settings, $3 places of the lanes. Tokens begin where those of no earlier
-- subscription have come to: who held one of this name that was deleted holds nothing.
WITH opened AS (
  INSERT INTO esgen.subscriptions (name, settings, created) VALUES ($1::text, $2::text, clock_timestamp())
  ON CONFLICT (name) DO NOTHING RETURNING id
)
INSERT INTO esgen.lanes (subscription_id, lane, at, token, changed)
SELECT o.id, q.o - 1, q.at, o.id * 1000000000, clock_timestamp()
  FROM opened o, unnest($3::bigint[]) WITH ORDINALITY q(at, o);
