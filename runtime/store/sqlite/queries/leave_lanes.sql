-- ?1 member
UPDATE lanes SET owner = NULL, token = token + 1, error = NULL, error_since = NULL WHERE owner = ?1;
