-- leave_lanes
-- ?1 member
UPDATE lanes SET owner = NULL, token = token + (owner IS ?1), error = NULL, error_since = NULL, former = NULL, former_until = NULL
WHERE owner = ?1 OR former = ?1;
