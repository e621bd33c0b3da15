-- Where in the order of all events those of a time are: no event of it is before
-- low or behind high. Either end of the time may be NULL, and then also its end of
-- the answer. Both are NULL if there is none.
--
-- The index on times tells which blocks may hold them. If these hold more than
-- 100 000 events, low is 1 and high as high as can be: what is to be read is much
-- then, and looking for its ends would cost as much as reading it. Other indexes are
-- ruled out: along the positions all events before the time would be looked at.
CREATE FUNCTION read_range(q_since timestamptz, q_until timestamptz, OUT low bigint, OUT high bigint)
LANGUAGE plpgsql STABLE
SET search_path FROM CURRENT
SET plan_cache_mode = force_custom_plan
SET enable_seqscan = off
SET enable_indexscan = off
SET enable_indexonlyscan = off
SET jit = off
AS $$
DECLARE
  n bigint;
BEGIN
  IF q_since IS NULL AND q_until IS NULL THEN
    RETURN;
  END IF;

  SELECT min(t.position), max(t.position), count(*) INTO low, high, n
    FROM (
      SELECT e.position FROM events e
       WHERE e.time >= coalesce(q_since, '-infinity') AND e.time < coalesce(q_until, 'infinity') AND e.position IS NOT NULL
       LIMIT 100001
    ) t;
  IF n > 100000 THEN
    low := 1;
    high := 9223372036854775807;
  END IF;
  IF q_since IS NULL THEN
    low := NULL;
  END IF;
  IF q_until IS NULL THEN
    high := NULL;
  END IF;
END
$$;

REVOKE EXECUTE ON FUNCTION read_range FROM PUBLIC;
