-- ?1 subscription, ?2 lane or -1, ?3 key or NULL, ?4 states as a list in JSON or NULL, ?5 and
-- ?6 key and place after which to begin, ?7 limit
SELECT lane, key, place, stream, version, position, event_id, type, state, attempts, error, reason, time
FROM parked
WHERE subscription = ?1
    AND (?2 < 0 OR lane = ?2)
    AND (?3 IS NULL OR key = ?3)
    AND (?4 IS NULL OR EXISTS (SELECT 1 FROM json_each(?4) WHERE value = state))
    AND (key, place) > (?5, ?6)
ORDER BY key, place LIMIT ?7;
