-- The last position; NULL if there is none.
SELECT max(e.position) FROM esgen.events e WHERE e.position IS NOT NULL;
