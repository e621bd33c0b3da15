-- Links stored events to a stream, all or, if outcome is not 0, none.
--
--   q_ids      in the order in which they are linked
--   version    of the stream before this, 0 without events; 4: at which the stream
--              has the event already
--   outcome    0 linked; 1 not the expected version; 2 the stream has just been
--              created by somebody else: call again; 3 the stream is deleted;
--              4 the stream has one of the events; 5 some ids are not stored
--   ids        those that outcome 4 or 5 is about
--
-- The stream is locked first, then those of the events, so weakly that it hinders
-- only whoever removes them. The head is not needed: links have no positions.
CREATE FUNCTION link(
  s_name text, s_category text, s_expected bigint, q_ids uuid[], q_time timestamptz,
  OUT version bigint, OUT outcome integer, OUT ids uuid[]
)
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
  target bigint;
  deleted timestamptz;
  twice uuid;
  origins bigint[];
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'link under isolation %: events can be linked under read committed only',
      current_setting('transaction_isolation') USING ERRCODE = 'ES001',
            HINT = 'Begin the transaction with isolation level READ COMMITTED.';
  END IF;

  SELECT s.stream_id, s.version, s.deleted_at INTO target, link.version, deleted
    FROM streams s WHERE s.name = s_name FOR NO KEY UPDATE;
  link.version := coalesce(link.version, 0);
  IF deleted IS NOT NULL THEN
    outcome := 3;
    RETURN;
  END IF;
  IF NOT (s_expected = -1 OR s_expected = link.version OR s_expected = -2 AND link.version > 0) THEN
    outcome := 1;
    RETURN;
  END IF;

  origins := ARRAY(SELECT DISTINCT e.stream_id FROM events e WHERE e.event_id = ANY (q_ids) AND e.position IS NOT NULL);
  PERFORM FROM streams s WHERE s.stream_id = ANY (origins) ORDER BY s.stream_id FOR KEY SHARE;

  -- A new statement: what has been removed while the locks were waited for is gone.
  SELECT array_agg(q.id ORDER BY q.o) INTO ids
    FROM unnest(q_ids) WITH ORDINALITY q(id, o)
   WHERE (SELECT e.version FROM events e WHERE e.event_id = q.id AND e.position IS NOT NULL) IS NULL;
  IF ids IS NOT NULL THEN
    outcome := 5;
    RETURN;
  END IF;

  IF target IS NULL THEN
    PERFORM pg_advisory_xact_lock_shared('pending'::regclass::oid::integer, 0);
    PERFORM pg_advisory_xact_lock('streams'::regclass::oid::integer, hashtext(s_name));
    INSERT INTO streams (name, category, version, created, linked)
    VALUES (s_name, s_category, 0, q_time, true)
    ON CONFLICT (name) DO NOTHING RETURNING stream_id INTO target;
    IF target IS NULL THEN
      outcome := 2;
      RETURN;
    END IF;
  ELSE
    SELECT q.id, coalesce(l.version, e.version) INTO twice, link.version
      FROM unnest(q_ids) WITH ORDINALITY q(id, o)
      -- OFFSET keeps plans from beginning with all events.
      CROSS JOIN LATERAL (
        SELECT v.stream_id, v.version FROM events v WHERE v.event_id = q.id AND v.position IS NOT NULL OFFSET 0
      ) e
      LEFT JOIN LATERAL (
        SELECT k.version FROM links k
         WHERE k.origin_id = e.stream_id AND k.origin_version = e.version AND k.stream_id = target OFFSET 0
      ) l ON true
     WHERE l.version IS NOT NULL OR e.stream_id = target
     ORDER BY q.o LIMIT 1;
    IF FOUND THEN
      ids := ARRAY[twice];
      outcome := 4;
      RETURN;
    END IF;
  END IF;

  SELECT s.version INTO link.version FROM streams s WHERE s.stream_id = target;
  INSERT INTO links (stream_id, version, origin_id, origin_version)
  SELECT target, link.version + q.o, e.stream_id, e.version
    FROM unnest(q_ids) WITH ORDINALITY q(id, o)
    CROSS JOIN LATERAL (
      SELECT v.stream_id, v.version FROM events v WHERE v.event_id = q.id AND v.position IS NOT NULL OFFSET 0
    ) e;
  UPDATE streams s SET version = link.version + cardinality(q_ids), linked = true WHERE s.stream_id = target;
  outcome := 0;
END
$$;

REVOKE EXECUTE ON FUNCTION link FROM PUBLIC;
