-- Frees all lanes of a member, also those that were taken back from it, and ends its
-- membership. Statements of their own: a
-- renewal that the first waits for may take lanes that the second must see.
--
-- A lane that another transaction has locked is passed over, so that the others are free
-- at once. Its member stays, with a lease that is over: whoever renews takes the lane
-- when it can be locked.
CREATE FUNCTION leave(m_id uuid) RETURNS void
LANGUAGE plpgsql
SET search_path FROM CURRENT
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET jit = off
AS $$
BEGIN
  PERFORM FROM members m WHERE m.id = m_id FOR UPDATE;
  WITH held AS MATERIALIZED (
    SELECT l.subscription_id, l.lane FROM lanes l WHERE l.owner = m_id OR l.former = m_id
     ORDER BY l.subscription_id, l.lane FOR NO KEY UPDATE SKIP LOCKED
  )
  UPDATE lanes l
     SET owner = nullif(l.owner, m_id), token = l.token + (l.owner IS NOT DISTINCT FROM m_id)::integer,
         error = CASE WHEN l.owner IS DISTINCT FROM m_id THEN l.error END,
         error_since = CASE WHEN l.owner IS DISTINCT FROM m_id THEN l.error_since END,
         former = nullif(l.former, m_id), former_until = CASE WHEN l.former IS DISTINCT FROM m_id THEN l.former_until END
    FROM held h WHERE l.subscription_id = h.subscription_id AND l.lane = h.lane;
  UPDATE members m SET expires = least(m.expires, clock_timestamp()), runs = '{}' WHERE m.id = m_id;
  DELETE FROM members m WHERE m.id = m_id AND NOT EXISTS (SELECT FROM lanes l WHERE l.owner = m_id);
END
$$;

REVOKE EXECUTE ON FUNCTION leave FROM PUBLIC;
