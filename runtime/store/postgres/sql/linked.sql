-- $1 name, $2 ids
-- Under which versions the stream shows these events.
SELECT l.version
  FROM esgen.streams s
  JOIN esgen.events e ON e.event_id = ANY ($2::uuid[]) AND e.position IS NOT NULL
  JOIN esgen.links l ON l.stream_id = s.stream_id AND l.origin_id = e.stream_id AND l.origin_version = e.version
 WHERE s.name = $1::text
 ORDER BY l.version;
