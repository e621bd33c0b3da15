-- $1 names
-- Those of them that are indexes of this store and can be used.
SELECT c.relname::text
  FROM pg_index i
  JOIN pg_class c ON c.oid = i.indexrelid
 WHERE i.indrelid = 'esgen.events'::regclass AND i.indisvalid AND c.relname = ANY ($1::text[]);
