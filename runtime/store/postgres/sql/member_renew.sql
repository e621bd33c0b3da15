-- $1 id, $2 label, $3 lease in microseconds, $4 names of what it runs
SELECT epoch, expires, due, paused, l_subscription, l_lane, l_at, l_token, l_error, l_error_since, l_changed
  FROM esgen.renew($1::uuid, $2::text, $3::bigint, $4::text[]);
