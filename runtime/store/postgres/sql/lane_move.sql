-- $1 subscription, $2 lane, $3 token, $4 from, $5 to, $6 how long the transaction may
-- idle, in milliseconds, 0 for ever: who holds a lane and is gone must let it go
UPDATE esgen.lanes l SET at = $5::bigint, changed = clock_timestamp()
  FROM esgen.subscriptions s,
       set_config('idle_in_transaction_session_timeout',
         CASE WHEN current_setting('idle_in_transaction_session_timeout') = '0' AND $6::bigint > 0 THEN $6::bigint::text
              ELSE current_setting('idle_in_transaction_session_timeout') END, true)
 WHERE s.name = $1::text AND l.subscription_id = s.id AND l.lane = $2::integer
   AND l.token = $3::bigint AND l.owner IS NOT NULL AND l.at = $4::bigint;
