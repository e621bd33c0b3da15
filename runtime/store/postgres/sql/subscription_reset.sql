-- $1 name, $2 place, $3 whether to drop what is parked; returns 1 if there is one
WITH found AS MATERIALIZED (
  SELECT s.id FROM esgen.subscriptions s WHERE s.name = $1::text FOR NO KEY UPDATE
), moved AS (
  UPDATE esgen.lanes l
     SET at = $2::bigint, changed = clock_timestamp(),
         token = l.token + (l.owner IS NOT NULL)::integer, owner = NULL, error = NULL, error_since = NULL
    FROM found f WHERE l.subscription_id = f.id
), dropped AS (
  DELETE FROM esgen.parked p USING found f WHERE p.subscription_id = f.id AND $3::boolean
)
SELECT count(*) FROM found;
