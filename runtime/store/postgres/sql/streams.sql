-- $1 limit
-- /* filter */ is where conditions on s are put; the order is replaced by what is asked for.
SELECT s.stream_id, s.name, s.version,
       coalesce(least(
         (SELECT min(e.version) FROM esgen.events e WHERE e.stream_id = s.stream_id AND e.version >= s.first),
         (SELECT min(l.version) FROM esgen.links l WHERE l.stream_id = s.stream_id AND l.version >= s.first)
       ), s.version + 1) AS first,
       s.created, s.deleted_at
  FROM esgen.streams s
 WHERE s.version > 0 /* filter */
 ORDER BY s.name LIMIT $1::bigint;
