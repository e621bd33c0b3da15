-- ?1 subscription, ?2 lane
UPDATE lanes SET owner = NULL, token = token + 1, error = NULL, error_since = NULL
WHERE subscription = ?1 AND lane = ?2;
