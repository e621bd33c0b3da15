-- $1 name, $2 place, $3 whether to drop what is parked; returns 1 if there is one
WITH found AS MATERIALIZED (
  SELECT s.id FROM esgen.subscriptions s WHERE s.name = $1::text FOR NO KEY UPDATE
), dropped AS (
  DELETE FROM esgen.parked p USING found f WHERE p.subscription_id = f.id AND $3::boolean
)
SELECT count(*) FROM found CROSS JOIN LATERAL esgen.take_back(found.id, $2::bigint) t;
