-- $1 name, $2 paused; returns 1 if there is one. Lanes are changed whoever seems to
-- have them: a renewal may just have taken them.
WITH found AS (
  UPDATE esgen.subscriptions s SET paused = $2::boolean WHERE s.name = $1::text RETURNING s.id
), freed AS (
  UPDATE esgen.lanes l SET token = l.token + (l.owner IS NOT NULL)::integer, owner = NULL, error = NULL, error_since = NULL
    FROM found f WHERE l.subscription_id = f.id
)
SELECT count(*) FROM found;
