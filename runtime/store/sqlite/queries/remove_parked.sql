-- ?1 subscription
DELETE FROM parked WHERE subscription = ?1;
