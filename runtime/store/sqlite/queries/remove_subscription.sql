-- ?1 subscription
DELETE FROM subscriptions WHERE id = ?1;
