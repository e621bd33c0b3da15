-- The end of $all.
SELECT coalesce((SELECT max(e.position) FROM esgen.events e WHERE e.position IS NOT NULL), 0), s.epoch::text,
       (SELECT c.reltuples::bigint FROM pg_class c WHERE c.oid = 'esgen.events'::regclass),
       (SELECT c.reltuples::bigint FROM pg_class c WHERE c.oid = 'esgen.streams'::regclass)
  FROM esgen.store s
