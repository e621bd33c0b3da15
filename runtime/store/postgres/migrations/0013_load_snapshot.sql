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
