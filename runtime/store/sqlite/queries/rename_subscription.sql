-- ?1 subscription, ?2 name
UPDATE subscriptions SET name = ?2 WHERE id = ?1;
