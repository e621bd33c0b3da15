-- The tables of the schema, by the statistics collector.
--
--   $1  the schema
SELECT t.relname::text, t.n_live_tup, t.n_dead_tup, greatest(t.last_vacuum, t.last_autovacuum), pg_total_relation_size(t.relid)
  FROM pg_stat_user_tables t
 WHERE t.schemaname = $1
 ORDER BY t.relname COLLATE "C"
