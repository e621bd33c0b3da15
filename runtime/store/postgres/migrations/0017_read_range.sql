-- Where in the order of all events those of a time are: no event of it is before
-- low or behind high. Either end of the time may be NULL, and then also its end of
-- the answer. Both are NULL if there is none; last is the last position, or NULL.
--
-- Planned for each call: whether the index on times helps depends on the times.
CREATE FUNCTION read_range(q_since timestamptz, q_until timestamptz, OUT low bigint, OUT high bigint, OUT last bigint)
LANGUAGE plpgsql STABLE
SET search_path FROM CURRENT
SET plan_cache_mode = force_custom_plan
SET enable_seqscan = off
SET jit = off
AS $$
BEGIN
  SELECT max(e.position) INTO last FROM events e WHERE e.position IS NOT NULL;
  IF q_since IS NOT NULL THEN
    SELECT min(e.position) INTO low FROM events e
     WHERE e.position IS NOT NULL AND e.time >= q_since AND e.time < coalesce(q_until, 'infinity');
  END IF;
  IF q_until IS NOT NULL THEN
    SELECT max(e.position) INTO high FROM events e
     WHERE e.position IS NOT NULL AND e.time < q_until AND e.time >= coalesce(q_since, '-infinity');
  END IF;
END
$$;

REVOKE EXECUTE ON FUNCTION read_range FROM PUBLIC;
