-- $1 name, $2 new name; returns 1 if there is one
WITH found AS (
  UPDATE esgen.subscriptions s SET name = $2::text WHERE s.name = $1::text RETURNING s.id
), freed AS (
  UPDATE esgen.lanes l SET token = l.token + (l.owner IS NOT NULL)::integer, owner = NULL, error = NULL, error_since = NULL
    FROM found f WHERE l.subscription_id = f.id
)
SELECT count(*) FROM found;
