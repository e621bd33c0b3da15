-- Indexes of the schema that serve nobody and that nobody is building.
--
--   $1  the schema
SELECT c.relname::text
  FROM pg_index i
  JOIN pg_class c ON c.oid = i.indexrelid
 WHERE c.relnamespace = (SELECT n.oid FROM pg_namespace n WHERE n.nspname = $1) AND NOT i.indisvalid
   AND NOT EXISTS (
     SELECT FROM pg_stat_progress_create_index p
       JOIN pg_locks l ON l.pid = p.pid AND l.locktype = 'relation' AND l.database = p.datid AND l.relation = i.indrelid AND l.granted
   )
 ORDER BY c.relname COLLATE "C"
