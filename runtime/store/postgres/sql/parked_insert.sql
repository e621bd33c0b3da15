-- $1 subscription, $2 lane, $3 token; of the events $4 keys, $5 places, $6 streams,
-- $7 versions, $8 positions, $9 ids, $10 types, $11 states, $12 attempts, $13 errors,
-- $14 reasons; returns 1 if the lane is held
WITH held AS MATERIALIZED (
  SELECT s.id, l.lane FROM esgen.subscriptions s
    JOIN esgen.lanes l ON l.subscription_id = s.id
   WHERE s.name = $1::text AND l.lane = $2::integer AND l.token = $3::bigint AND l.owner IS NOT NULL
     FOR KEY SHARE OF s FOR NO KEY UPDATE OF l
), parked AS (
  INSERT INTO esgen.parked (subscription_id, lane, key, at, stream, version, position, event_id, type, state, attempts, error, reason, time)
  SELECT h.id, h.lane, q.*, clock_timestamp()
    FROM held h, unnest($4::text[], $5::bigint[], $6::text[], $7::bigint[], $8::bigint[], $9::uuid[], $10::text[],
                        $11::text[], $12::integer[], $13::text[], $14::text[]) q
  ON CONFLICT (subscription_id, key, at) DO UPDATE
     SET lane = excluded.lane, stream = excluded.stream, version = excluded.version, position = excluded.position,
         event_id = excluded.event_id, type = excluded.type, state = excluded.state, attempts = excluded.attempts,
         error = excluded.error, reason = excluded.reason, time = excluded.time
)
SELECT count(*) FROM held;
