-- Keeps a member alive and divides the lanes of the subscriptions that it runs.
--
--   m_lease    in microseconds
--   due        per run: how many lanes it is to have; NULL if there is no such
--              subscription
--   paused     per run
--   l_…        the lanes that it owns now, in the order of names and numbers
--
-- Nothing here waits but for its own member's row: a lane that another transaction
-- has locked is passed over. Who takes a lane from a member locks that member's row
-- first, so that it cannot come back to life meanwhile.
CREATE FUNCTION renew(
  m_id uuid, m_label text, m_lease bigint, m_runs text[],
  OUT epoch uuid, OUT expires timestamptz, OUT due integer[], OUT paused boolean[],
  OUT l_subscription text[], OUT l_lane integer[], OUT l_at bigint[], OUT l_token bigint[],
  OUT l_error text[], OUT l_error_since timestamptz[], OUT l_changed timestamptz[]
)
LANGUAGE plpgsql
SET search_path FROM CURRENT
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
  lease interval := m_lease * interval '1 microsecond';
  moment timestamptz;
  short bigint[];
  ended uuid[];
BEGIN
  INSERT INTO members AS m (id, label, expires, lease, runs) VALUES (m_id, m_label, clock_timestamp() + lease, lease, m_runs)
  ON CONFLICT (id) DO UPDATE SET label = m_label, expires = clock_timestamp() + excluded.lease, lease = excluded.lease, runs = m_runs
  RETURNING m.expires INTO renew.expires;
  moment := renew.expires - lease;

  SELECT array_agg(q.due ORDER BY q.o), array_agg(coalesce(q.paused, false) ORDER BY q.o),
         array_agg(q.id) FILTER (WHERE q.due > q.have)
    INTO renew.due, renew.paused, short
    FROM (
      SELECT r.o, s.id, s.paused,
             CASE WHEN s.id IS NULL THEN NULL WHEN s.paused THEN 0
                  ELSE l.all_lanes / m.living + (m.before < l.all_lanes % m.living)::integer END AS due,
             l.have
        FROM unnest(m_runs) WITH ORDINALITY r(name, o)
        LEFT JOIN subscriptions s ON s.name = r.name
        CROSS JOIN LATERAL (
          SELECT count(*)::integer AS all_lanes, count(*) FILTER (WHERE v.owner = m_id)::integer AS have
            FROM lanes v WHERE v.subscription_id = s.id
        ) l
        CROSS JOIN LATERAL (
          SELECT count(*)::integer AS living, count(*) FILTER (WHERE v.id < m_id)::integer AS before
            FROM members v WHERE (v.expires > moment OR v.id = m_id) AND r.name COLLATE "C" = ANY (v.runs)
        ) m
    ) q;

  IF short IS NOT NULL THEN
    -- Who pauses, resets, renames or deletes has the row locked.
    short := ARRAY(SELECT s.id FROM subscriptions s WHERE s.id = ANY (short) AND NOT s.paused FOR SHARE SKIP LOCKED);
    ended := ARRAY(
      SELECT m.id FROM members m
       WHERE m.expires <= moment AND m.id <> m_id
         AND EXISTS (SELECT FROM lanes l WHERE l.owner = m.id AND l.subscription_id = ANY (short))
         FOR UPDATE SKIP LOCKED);
    WITH taken AS MATERIALIZED (
      SELECT s.id, k.lane
        FROM subscriptions s
        JOIN unnest(m_runs, due) r(name, due) ON r.name = s.name
        CROSS JOIN LATERAL (SELECT count(*) AS have FROM lanes v WHERE v.subscription_id = s.id AND v.owner = m_id) h
        CROSS JOIN LATERAL (
          SELECT l.lane FROM lanes l
           WHERE l.subscription_id = s.id AND (l.owner IS NULL OR l.owner = ANY (ended))
             AND (l.former IS NULL OR l.former = m_id OR l.former_until <= moment)
           ORDER BY l.lane LIMIT greatest(r.due - h.have, 0) FOR NO KEY UPDATE SKIP LOCKED
        ) k
       WHERE s.id = ANY (short)
    )
    UPDATE lanes l SET owner = m_id, token = l.token + 1, former = NULL, former_until = NULL, error = NULL, error_since = NULL
      FROM taken t WHERE l.subscription_id = t.id AND l.lane = t.lane;
  END IF;

  -- Members that are long gone and own nothing do not add up.
  DELETE FROM members g USING (
    SELECT m.id FROM members m
     WHERE m.expires < moment - interval '1 hour' AND NOT EXISTS (SELECT FROM lanes l WHERE l.owner = m.id)
       FOR UPDATE SKIP LOCKED
  ) o WHERE g.id = o.id;

  SELECT s.epoch INTO renew.epoch FROM store s;
  SELECT array_agg(s.name ORDER BY s.name, l.lane), array_agg(l.lane ORDER BY s.name, l.lane),
         array_agg(l.at ORDER BY s.name, l.lane), array_agg(l.token ORDER BY s.name, l.lane),
         array_agg(l.error ORDER BY s.name, l.lane), array_agg(l.error_since ORDER BY s.name, l.lane),
         array_agg(l.changed ORDER BY s.name, l.lane)
    INTO l_subscription, l_lane, l_at, l_token, l_error, l_error_since, l_changed
    FROM lanes l JOIN subscriptions s ON s.id = l.subscription_id
   WHERE l.owner = m_id;
END
$$;

REVOKE EXECUTE ON FUNCTION renew FROM PUBLIC;
