-- $1 subscription, $2 key, $3 state, $4 reason; returns whether the subscription is
-- there, and how many events were marked
WITH found AS MATERIALIZED (
  SELECT s.id FROM esgen.subscriptions s WHERE s.name = $1::text
), marked AS (
  UPDATE esgen.parked p SET state = $3::text, reason = $4::text, time = clock_timestamp()
    FROM found f
   WHERE p.subscription_id = f.id AND p.key = $2::text AND p.state IN ('parked', 'retry')
  RETURNING 1
)
SELECT EXISTS (SELECT FROM found), (SELECT count(*) FROM marked);
