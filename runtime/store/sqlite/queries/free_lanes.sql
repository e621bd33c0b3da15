-- free_lanes
-- ?1 subscription, ?2 now
UPDATE lanes SET owner = NULL, token = token + 1, error = NULL, error_since = NULL,
    former = owner, former_until = coalesce((SELECT m.expires FROM members AS m WHERE m.id = owner), ?2)
WHERE subscription = ?1 AND owner IS NOT NULL;
