-- Reads a page of a stream.
--
--   q_from      first version, backward the highest; greater than any means the end
--   q_width     how many versions to look at, at most
--   q_limit     how many events to return, at most
--   q_bytes     the event that goes beyond so many bytes is the last returned
--   q_types     types to return, NULL for all
--
-- No row means no such stream. Else last is its version, and a single row whose
-- version is NULL means that nothing was found in the versions looked at. bytes
-- counts the events up to the row as q_bytes does: as they are stored, so that what
-- is not returned is not even fetched.
CREATE FUNCTION read_stream(
  q_name text, q_from bigint, q_width bigint, q_limit bigint, q_bytes bigint, q_types text[], q_backward boolean
) RETURNS TABLE (
  last bigint, "position" bigint, stream text, version bigint, event_id uuid, type text, revision integer,
  correlation uuid, causation uuid, format text, data bytea, data_json text, metadata text, "time" timestamptz, bytes bigint
)
LANGUAGE plpgsql STABLE
SET search_path FROM CURRENT
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_sort = off
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
  id bigint;
  low bigint;
  high bigint;
BEGIN
  SELECT s.stream_id, s.version INTO id, last FROM streams s WHERE s.name = q_name;
  IF id IS NULL OR last = 0 THEN
    RETURN;
  END IF;

  IF q_backward THEN
    high := least(q_from, read_stream.last);
    low := high - q_width + 1;
    RETURN QUERY
      SELECT read_stream.last, p.position, q_name, p.version, p.event_id, p.type, p.revision,
             p.correlation, p.causation, p.format, p.data, p.data_json::text, p.metadata::text, p.time, p.bytes
        FROM (
          SELECT l.*, sum(l.own) OVER (ORDER BY l.version DESC ROWS UNBOUNDED PRECEDING) AS bytes
            FROM (
              SELECT e.*, coalesce(octet_length(e.data), pg_column_size(e.data_json))
                        + coalesce(pg_column_size(e.metadata), 0) AS own
                FROM events e
               WHERE e.stream_id = id AND e.version BETWEEN low AND high AND (q_types IS NULL OR e.type = ANY (q_types))
               ORDER BY e.version DESC LIMIT q_limit
            ) l
        ) p
       WHERE p.bytes - p.own <= q_bytes
       ORDER BY p.version DESC;
  ELSE
    low := q_from;
    high := low + q_width - 1;
    RETURN QUERY
      SELECT read_stream.last, p.position, q_name, p.version, p.event_id, p.type, p.revision,
             p.correlation, p.causation, p.format, p.data, p.data_json::text, p.metadata::text, p.time, p.bytes
        FROM (
          SELECT l.*, sum(l.own) OVER (ORDER BY l.version ROWS UNBOUNDED PRECEDING) AS bytes
            FROM (
              SELECT e.*, coalesce(octet_length(e.data), pg_column_size(e.data_json))
                        + coalesce(pg_column_size(e.metadata), 0) AS own
                FROM events e
               WHERE e.stream_id = id AND e.version BETWEEN low AND high AND (q_types IS NULL OR e.type = ANY (q_types))
               ORDER BY e.version LIMIT q_limit
            ) l
        ) p
       WHERE p.bytes - p.own <= q_bytes
       ORDER BY p.version;
  END IF;
  IF NOT FOUND THEN
    RETURN NEXT;
  END IF;
END
$$;
