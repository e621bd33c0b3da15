-- $1 since, $2 until
-- The positions between which all events of that time are, and the last position; NULL where there is none.
SELECT r.low, r.high, (SELECT max(e.position) FROM esgen.events e WHERE e.position IS NOT NULL) AS last
  FROM esgen.read_range($1::timestamptz, $2::timestamptz) r;
