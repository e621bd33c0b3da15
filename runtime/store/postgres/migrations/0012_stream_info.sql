-- What is known of a stream; no row if it has no events. A function, as reads are,
-- for its plan: one made while the table was small would scan it for ever.
CREATE FUNCTION stream_info(q_name text) RETURNS TABLE (version bigint, created timestamptz)
LANGUAGE plpgsql STABLE
SET search_path FROM CURRENT
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET jit = off
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY SELECT s.version, s.created FROM streams s WHERE s.name = q_name AND s.version > 0;
END
$$;
