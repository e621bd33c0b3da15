-- ?1 subscription
DELETE FROM lanes WHERE subscription = ?1;
