-- ?1 subscription
UPDATE lanes SET owner = NULL, token = token + 1, error = NULL, error_since = NULL
WHERE subscription = ?1 AND owner IS NOT NULL;
