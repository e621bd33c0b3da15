-- Frees all lanes of a member, also those that were taken back from it, and ends its
-- membership. Statements of their own: a
-- renewal that the first waits for may take lanes that the second must see.
CREATE FUNCTION leave(m_id uuid) RETURNS void
LANGUAGE plpgsql
SET search_path FROM CURRENT
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET jit = off
AS $$
BEGIN
  PERFORM FROM members m WHERE m.id = m_id FOR UPDATE;
  PERFORM FROM lanes l WHERE l.owner = m_id OR l.former = m_id ORDER BY l.subscription_id, l.lane FOR NO KEY UPDATE;
  UPDATE lanes l SET owner = NULL, token = l.token + 1, error = NULL, error_since = NULL WHERE l.owner = m_id;
  UPDATE lanes l SET former = NULL, former_until = NULL WHERE l.former = m_id;
  DELETE FROM members m WHERE m.id = m_id;
END
$$;

REVOKE EXECUTE ON FUNCTION leave FROM PUBLIC;
