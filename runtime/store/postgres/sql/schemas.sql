-- Every schema that holds a store.
SELECT n.nspname::text
  FROM pg_catalog.pg_namespace n
  JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid
 WHERE c.relkind = 'r' AND c.relname IN ('store', 'events', 'migrations')
 GROUP BY n.nspname
HAVING count(*) = 3
 ORDER BY n.nspname::text COLLATE "C"
