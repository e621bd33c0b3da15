-- $1 name, $2 new name; returns 1 if there is one
WITH found AS (
  UPDATE esgen.subscriptions s SET name = $2::text WHERE s.name = $1::text RETURNING s.id
)
SELECT count(*) FROM found CROSS JOIN LATERAL esgen.take_back(found.id, NULL) t;
