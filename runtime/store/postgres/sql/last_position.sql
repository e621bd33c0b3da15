-- The last position, also if its event was removed.
SELECT greatest(coalesce((SELECT max(e.position) FROM esgen.events e WHERE e.position IS NOT NULL), 0), (SELECT s.floor FROM esgen.store s));
