-- $1 name, $2 paused; returns 1 if there is one
WITH found AS (
  UPDATE esgen.subscriptions s SET paused = $2::boolean WHERE s.name = $1::text RETURNING s.id
)
SELECT count(*) FROM found CROSS JOIN LATERAL esgen.take_back(found.id, NULL) t;
