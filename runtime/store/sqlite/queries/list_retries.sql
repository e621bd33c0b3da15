-- As list_parked.sql, of what is to be tried again: owners ask often, and this finds it
-- by its index.
-- ?1 subscription, ?2 lane or -1, ?3 and ?4 key and place after which to begin, ?5 limit
SELECT lane, key, place, stream, version, position, event_id, type, state, attempts, error, reason, time
FROM parked
WHERE subscription = ?1 AND state = 'retry'
    AND (?2 < 0 OR lane = ?2)
    AND (key, place) > (?3, ?4)
ORDER BY key, place LIMIT ?5;
