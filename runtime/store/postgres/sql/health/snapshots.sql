-- What keeps the cluster from removing dead rows, whatever database it is in.
SELECT * FROM (
  SELECT 'session' AS kind, age(a.backend_xmin)::bigint AS transactions, a.pid, coalesce(a.application_name, '') AS application,
         coalesce(a.usename, '')::text AS role, coalesce(a.state, '') AS state,
         extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS age, left(coalesce(a.query, ''), 200) AS query
    FROM pg_stat_activity a
   WHERE a.backend_xmin IS NOT NULL AND a.pid <> pg_backend_pid() AND a.backend_type <> 'walsender'
  UNION ALL
  SELECT 'standby', age(r.backend_xmin)::bigint, r.pid, coalesce(r.application_name, ''), coalesce(r.usename, '')::text,
         coalesce(r.state, ''), NULL, ''
    FROM pg_stat_replication r WHERE r.backend_xmin IS NOT NULL
  UNION ALL
  SELECT 'replication slot', greatest(age(s.xmin), age(s.catalog_xmin))::bigint, coalesce(s.active_pid, 0), s.slot_name::text, '',
         CASE WHEN s.active THEN 'active' ELSE 'inactive' END, NULL, ''
    FROM pg_replication_slots s WHERE s.xmin IS NOT NULL OR s.catalog_xmin IS NOT NULL
  UNION ALL
  SELECT 'prepared transaction', age(p.transaction)::bigint, 0, p.gid, p.owner::text, 'prepared',
         extract(epoch FROM clock_timestamp() - p.prepared)::float8, ''
    FROM pg_prepared_xacts p
) all_of_them
 ORDER BY transactions DESC NULLS LAST, age DESC NULLS LAST
 LIMIT 5
