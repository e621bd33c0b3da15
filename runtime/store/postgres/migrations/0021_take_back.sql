-- Takes all lanes of a subscription from their owners, and puts them at a place if
-- one is given. The caller has the subscription's row locked, so nobody is given a
-- lane meanwhile.
--
-- An owner that is alive learns it from its next renewal. One that is under way may
-- not have seen it, and lets the owner go on for a lease from now; the second is for
-- the commit. So the lanes are locked first, which may take a while, and then the
-- time is read.
CREATE FUNCTION take_back(of_subscription bigint, place bigint) RETURNS void
LANGUAGE plpgsql
SET search_path FROM CURRENT
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET jit = off
AS $$
DECLARE
  moment timestamptz;
BEGIN
  PERFORM FROM lanes l WHERE l.subscription_id = of_subscription ORDER BY l.lane FOR NO KEY UPDATE;
  moment := clock_timestamp();
  UPDATE lanes l
     SET former = l.owner, former_until = moment + m.lease + interval '1 second'
    FROM members m
   WHERE l.subscription_id = of_subscription AND m.id = l.owner AND m.expires > moment;
  UPDATE lanes l
     SET token = l.token + (l.owner IS NOT NULL)::integer, owner = NULL, error = NULL, error_since = NULL,
         at = coalesce(place, l.at), changed = CASE WHEN place IS NULL THEN l.changed ELSE moment END
   WHERE l.subscription_id = of_subscription;
END
$$;

REVOKE EXECUTE ON FUNCTION take_back FROM PUBLIC;
