-- take_lanes
-- ?1 subscription, ?2 member, ?3 now, ?4 limit
UPDATE lanes SET owner = ?2, token = token + 1, former = NULL, former_until = NULL, error = NULL, error_since = NULL
WHERE subscription = ?1 AND lane IN (
    SELECT l.lane FROM lanes AS l
    LEFT JOIN members AS m ON m.id = l.owner
    WHERE l.subscription = ?1 AND (m.id IS NULL OR m.expires <= ?3)
        AND (l.former IS NULL OR l.former = ?2 OR l.former_until <= ?3)
    ORDER BY l.lane LIMIT ?4);
