-- Transactions that have inserted events and are not committed: the lock on the table
-- is kept to the end of the transaction. A prepared one has no session.
--
--   $1  the table of events
SELECT coalesce(l.pid, 0), coalesce(p.gid, a.application_name, ''), coalesce(p.owner, a.usename, '')::text,
       CASE WHEN p.gid IS NULL THEN coalesce(a.state, '') ELSE 'prepared' END,
       extract(epoch FROM clock_timestamp() - coalesce(p.prepared, a.xact_start))::float8 AS age,
       left(coalesce(a.query, ''), 200)
  FROM pg_locks l
  LEFT JOIN pg_stat_activity a ON a.pid = l.pid
  LEFT JOIN pg_prepared_xacts p ON l.pid IS NULL AND p.transaction::text = split_part(l.virtualtransaction, '/', 2)
 WHERE l.locktype = 'relation' AND l.relation = $1::text::regclass AND l.mode = 'RowExclusiveLock' AND l.granted
   AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
 ORDER BY age DESC NULLS LAST
 LIMIT 20
