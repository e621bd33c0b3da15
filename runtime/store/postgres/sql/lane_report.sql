-- $1 subscription, $2 lane, $3 token, $4 what went wrong, empty if nothing does
UPDATE esgen.lanes l
   SET error = nullif($4::text, ''),
       error_since = CASE WHEN $4::text = '' THEN NULL ELSE coalesce(l.error_since, clock_timestamp()) END
  FROM esgen.subscriptions s
 WHERE s.name = $1::text AND l.subscription_id = s.id AND l.lane = $2::integer
   AND l.token = $3::bigint AND l.owner IS NOT NULL;
