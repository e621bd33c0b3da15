-- Reads a page of all events, or of those of some categories, by position.
--
--   q_from        first position, backward the highest; greater than any means the end
--   q_width       how many positions to look at, at most
--   q_limit       how many events to return, at most
--   q_bytes       the event that goes beyond so many bytes is the last returned
--   q_categories  categories to return, NULL for all
--   q_types       types to return, NULL for all
--
-- last is the last position in the store. A single row whose version is NULL means
-- that nothing was found in the positions looked at. bytes counts the events up to
-- the row as q_bytes does: as they are stored.
CREATE FUNCTION read_all(
  q_from bigint, q_width bigint, q_limit bigint, q_bytes bigint, q_categories text[], q_types text[], q_backward boolean
) RETURNS TABLE (
  last bigint, "position" bigint, stream text, version bigint, event_id uuid, type text, revision integer,
  correlation uuid, causation uuid, format text, data bytea, data_json text, metadata text, "time" timestamptz, bytes bigint
)
LANGUAGE plpgsql STABLE
SET search_path FROM CURRENT
-- Events in the order of their positions, and for each its stream: whatever else
-- the planner may think of looks at more than the page.
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET enable_sort = off
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
  low bigint;
  high bigint;
BEGIN
  SELECT coalesce(max(e.position), 0) INTO last FROM events e WHERE e.position IS NOT NULL;

  IF q_backward THEN
    high := least(q_from, read_all.last);
    low := high - q_width + 1;
    RETURN QUERY
      SELECT read_all.last, p.position, p.name, p.version, p.event_id, p.type, p.revision,
             p.correlation, p.causation, p.format, p.data, p.data_json::text, p.metadata::text, p.time, p.bytes
        FROM (
          SELECT l.*, sum(l.own) OVER (ORDER BY l.position DESC ROWS UNBOUNDED PRECEDING) AS bytes
            FROM (
              SELECT e.*, s.name, coalesce(octet_length(e.data), pg_column_size(e.data_json))
                                + coalesce(pg_column_size(e.metadata), 0) AS own
                FROM events e
                -- OFFSET keeps the planner from beginning with the streams.
                JOIN LATERAL (SELECT t.name, t.category FROM streams t WHERE t.stream_id = e.stream_id OFFSET 0) s
                  ON q_categories IS NULL OR s.category = ANY (q_categories)
               WHERE e.position BETWEEN low AND high AND (q_types IS NULL OR e.type = ANY (q_types))
               ORDER BY e.position DESC LIMIT q_limit
            ) l
        ) p
       WHERE p.bytes - p.own <= q_bytes
       ORDER BY p.position DESC;
  ELSE
    low := q_from;
    high := low + q_width - 1;
    RETURN QUERY
      SELECT read_all.last, p.position, p.name, p.version, p.event_id, p.type, p.revision,
             p.correlation, p.causation, p.format, p.data, p.data_json::text, p.metadata::text, p.time, p.bytes
        FROM (
          SELECT l.*, sum(l.own) OVER (ORDER BY l.position ROWS UNBOUNDED PRECEDING) AS bytes
            FROM (
              SELECT e.*, s.name, coalesce(octet_length(e.data), pg_column_size(e.data_json))
                                + coalesce(pg_column_size(e.metadata), 0) AS own
                FROM events e
                JOIN LATERAL (SELECT t.name, t.category FROM streams t WHERE t.stream_id = e.stream_id OFFSET 0) s
                  ON q_categories IS NULL OR s.category = ANY (q_categories)
               WHERE e.position BETWEEN low AND high AND (q_types IS NULL OR e.type = ANY (q_types))
               ORDER BY e.position LIMIT q_limit
            ) l
        ) p
       WHERE p.bytes - p.own <= q_bytes
       ORDER BY p.position;
  END IF;
  IF NOT FOUND THEN
    RETURN NEXT;
  END IF;
END
$$;
