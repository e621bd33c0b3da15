-- What is known of a stream; no row if it has no events. A function, as appends
-- are, for its plan: one made while the table was small would scan it for ever.
CREATE FUNCTION stream_info(q_name text)
RETURNS TABLE (version bigint, first bigint, created timestamptz, deleted timestamptz)
LANGUAGE plpgsql STABLE
SET search_path FROM CURRENT
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET jit = off
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
    SELECT s.version,
           coalesce(least(
             (SELECT min(e.version) FROM events e WHERE e.stream_id = s.stream_id AND e.version >= s.first),
             (SELECT min(l.version) FROM links l WHERE l.stream_id = s.stream_id AND l.version >= s.first)
           ), s.version + 1),
           s.created, s.deleted_at
      FROM streams s WHERE s.name = q_name AND s.version > 0;
END
$$;

-- The snapshot of a stream; no row if there is none.
CREATE FUNCTION load_snapshot(q_stream text) RETURNS TABLE (
  version bigint, "time" timestamptz, revision integer, type text, format text, data bytea, data_json text, metadata text
)
LANGUAGE plpgsql STABLE
SET search_path FROM CURRENT
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET jit = off
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
    SELECT s.version, s.time, s.revision, s.type, s.format, s.data, s.data_json::text, s.metadata::text
      FROM snapshots s WHERE s.stream = q_stream;
END
$$;

REVOKE EXECUTE ON FUNCTION stream_info, load_snapshot FROM PUBLIC;
