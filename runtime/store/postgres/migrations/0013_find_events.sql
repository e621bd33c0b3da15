-- Where events with these ids are stored; ids that are not stored give no row.
CREATE FUNCTION find_events(q_ids uuid[])
RETURNS TABLE (event_id uuid, stream text, version bigint, "position" bigint)
LANGUAGE plpgsql STABLE
SET search_path FROM CURRENT
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET jit = off
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
    SELECT e.event_id, s.name, e.version, e.position
      FROM events e
     -- OFFSET keeps a plan from beginning with the streams.
     CROSS JOIN LATERAL (SELECT t.name FROM streams t WHERE t.stream_id = e.stream_id OFFSET 0) s
     WHERE e.event_id = ANY (q_ids) AND e.position IS NOT NULL;
END
$$;

REVOKE EXECUTE ON FUNCTION find_events FROM PUBLIC;
