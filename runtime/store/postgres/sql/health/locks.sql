-- Who holds the head, and who waits for it or for a stream.
--
--   $1  the table of events, of which the head is a lock
--   $2  the table of streams
--
-- Who waits for the row of a stream waits for the transaction that has locked it, or
-- stands in the row's queue. A name that is being created is a lock of its own.
WITH here AS (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
SELECT CASE WHEN l.locktype <> 'advisory' THEN 'stream' WHEN l.objid = 0 AND l.classid = $1::text::regclass THEN 'head' ELSE 'new stream' END,
       l.granted,
       CASE WHEN NOT l.granted THEN extract(epoch FROM clock_timestamp() - l.waitstart)::float8 END AS waited,
       CASE WHEN l.granted THEN '{}'::integer[] ELSE pg_blocking_pids(l.pid) END,
       coalesce(l.pid, 0), coalesce(a.application_name, ''), coalesce(a.usename, '')::text, coalesce(a.state, ''),
       extract(epoch FROM clock_timestamp() - a.xact_start)::float8, left(coalesce(a.query, ''), 200)
  FROM pg_locks l
  LEFT JOIN pg_stat_activity a ON a.pid = l.pid
 WHERE l.locktype = 'advisory' AND l.database = (SELECT oid FROM here) AND l.objsubid = 2
       AND (l.classid = $1::text::regclass AND l.objid = 0 OR l.classid = $2::text::regclass AND NOT l.granted)
    OR l.locktype = 'tuple' AND l.database = (SELECT oid FROM here) AND l.relation = $2::text::regclass AND NOT l.granted
    OR l.locktype = 'transactionid' AND NOT l.granted AND EXISTS (
         SELECT FROM pg_locks r
          WHERE r.pid = l.pid AND r.locktype = 'relation' AND r.database = (SELECT oid FROM here)
            AND r.relation = $2::text::regclass AND r.mode IN ('RowShareLock', 'RowExclusiveLock'))
 ORDER BY l.granted DESC, waited DESC NULLS LAST
 LIMIT 50
