-- Hides a stream, or shows it again.
--
--   s_expected  its version, or -1 any
--   version     NULL: there is no such stream
--   deleted     when it was hidden, before this
--   done        whether anything changed
CREATE FUNCTION delete_stream(s_name text, s_expected bigint, q_now timestamptz,
  OUT version bigint, OUT deleted timestamptz, OUT done boolean)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path FROM CURRENT
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET jit = off
AS $$
#variable_conflict use_column
BEGIN
  done := false;
  SELECT s.version, s.deleted_at INTO delete_stream.version, deleted FROM streams s WHERE s.name = s_name FOR NO KEY UPDATE;
  IF delete_stream.version IS NOT NULL AND deleted IS NULL AND s_expected IN (-1, delete_stream.version) THEN
    UPDATE streams s SET deleted_at = q_now WHERE s.name = s_name;
    done := true;
  END IF;
END
$$;

CREATE FUNCTION undelete_stream(s_name text, OUT version bigint)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path FROM CURRENT
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET jit = off
AS $$
#variable_conflict use_column
BEGIN
  UPDATE streams s SET deleted_at = NULL WHERE s.name = s_name RETURNING s.version INTO undelete_stream.version;
END
$$;

-- Lets reads begin at a version. The answer is that of delete_stream.
CREATE FUNCTION truncate_stream(s_name text, q_first bigint,
  OUT version bigint, OUT deleted timestamptz, OUT done boolean)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path FROM CURRENT
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET jit = off
AS $$
#variable_conflict use_column
BEGIN
  done := false;
  SELECT s.version, s.deleted_at INTO truncate_stream.version, deleted FROM streams s WHERE s.name = s_name FOR NO KEY UPDATE;
  IF deleted IS NULL AND q_first <= truncate_stream.version + 1 THEN
    UPDATE streams s SET first = q_first WHERE s.name = s_name;
    done := true;
  END IF;
END
$$;

REVOKE EXECUTE ON FUNCTION delete_stream, undelete_stream, truncate_stream FROM PUBLIC;
