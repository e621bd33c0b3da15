-- The indexes of events that were asked for, and who is building them.
--
--   $1  the table of events
--
-- A build holds SHARE UPDATE EXCLUSIVE on its table from beginning to end, so that
-- there is one at a time. Which index it builds, other roles may not see.
SELECT c.relname::text, i.indisvalid, pg_relation_size(c.oid), obj_description(c.oid, 'pg_class'),
       b.pid, b.phase, b.blocks_done, b.blocks_total
  FROM pg_index i
  JOIN pg_class c ON c.oid = i.indexrelid
  LEFT JOIN LATERAL (
    SELECT p.pid, p.phase, p.blocks_done, p.blocks_total
      FROM pg_stat_progress_create_index p
      JOIN pg_locks l ON l.pid = p.pid AND l.locktype = 'relation' AND l.database = p.datid AND l.relation = i.indrelid
                     AND l.mode = 'ShareUpdateExclusiveLock' AND l.granted
     WHERE NOT i.indisvalid AND coalesce(p.index_relid, c.oid) IN (c.oid, 0)
     LIMIT 1
  ) b ON true
 WHERE i.indrelid = $1::text::regclass
   AND (c.relname = 'events_type_position_idx' OR c.relname LIKE 'events\_metadata\_%\_idx')
 ORDER BY c.relname COLLATE "C"
