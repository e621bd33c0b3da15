-- Removes a stream, or the versions before q_first of it, for ever: its events, all
-- links to them, its own links without their events, and with the whole stream its
-- name and its snapshot. Whoever may call this can lose events: it is granted apart.
--
--   s_expected  the stream's version, or -1 any
--   q_first     NULL: the whole stream
--   version     NULL: there is no such stream
--   deleted     when it was hidden
--   done        whether it was removed
--
-- The head is taken when the transaction commits, so that nobody waits for a long
-- removal; until then others read the last position as it was.
CREATE FUNCTION remove(s_name text, s_expected bigint, q_first bigint,
  OUT version bigint, OUT deleted timestamptz, OUT done boolean)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path FROM CURRENT
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
  id bigint;
  below bigint;
  highest bigint;
  owed bigint;
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'hard delete under isolation %: events can be removed under read committed only',
      current_setting('transaction_isolation') USING ERRCODE = 'ES001',
            HINT = 'Begin the transaction with isolation level READ COMMITTED.';
  END IF;
  done := false;
  -- The strongest row lock: nobody may be linking to the events meanwhile.
  SELECT s.stream_id, s.version, s.deleted_at INTO id, remove.version, deleted
    FROM streams s WHERE s.name = s_name FOR UPDATE;
  IF id IS NULL OR s_expected NOT IN (-1, remove.version)
     OR q_first IS NOT NULL AND (deleted IS NOT NULL OR q_first > remove.version + 1) THEN
    RETURN;
  END IF;
  -- The row lock is ours, so these are too.
  IF EXISTS (SELECT FROM events e WHERE e.stream_id = id AND e.position IS NULL) THEN
    RAISE EXCEPTION 'hard delete of %: this transaction has appended to it', s_name
      USING ERRCODE = 'ES004', HINT = 'Commit that first.';
  END IF;
  below := coalesce(q_first, remove.version + 1);

  -- Not a SET of the function, which only a superuser may declare.
  PERFORM set_config('esgen.hard_delete', 'on', true);
  DELETE FROM links l WHERE l.origin_id = id AND l.origin_version < below;
  DELETE FROM links l WHERE l.stream_id = id AND l.version < below;
  WITH gone AS (
    DELETE FROM events e WHERE e.stream_id = id AND e.version < below RETURNING e.position, e.version
  )
  SELECT max(g.position) INTO highest FROM gone g;

  IF q_first IS NULL THEN
    DELETE FROM streams s WHERE s.stream_id = id;
    DELETE FROM snapshots s WHERE s.stream = s_name;
  ELSE
    UPDATE streams s SET first = greatest(s.first, q_first) WHERE s.stream_id = id;
  END IF;
  PERFORM set_config('esgen.hard_delete', 'off', true);

  INSERT INTO pending (stream_ids, versions, counts, removed)
  VALUES (ARRAY[]::bigint[], ARRAY[]::bigint[], ARRAY[]::integer[], coalesce(highest, 0))
  RETURNING pending_id INTO owed;
  -- What this transaction appended before must be settled after this, or it would
  -- get the positions of what is removed. Nobody else's rows can be seen.
  WITH earlier AS (
    DELETE FROM pending p WHERE p.pending_id < owed AND p.removed IS NULL RETURNING p.*
  )
  INSERT INTO pending (stream_ids, versions, counts)
  SELECT e.stream_ids, e.versions, e.counts FROM earlier e ORDER BY e.pending_id;
  IF NOT EXISTS (SELECT FROM pending p WHERE p.pending_id = owed) THEN
    RAISE EXCEPTION 'hard delete under SET CONSTRAINTS ALL IMMEDIATE: the order of all events is settled at commit'
      USING ERRCODE = 'ES002', HINT = 'Set the constraints by name that must be checked at once.';
  END IF;
  done := true;
END
$$;

REVOKE EXECUTE ON FUNCTION remove FROM PUBLIC;
