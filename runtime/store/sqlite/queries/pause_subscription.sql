-- ?1 subscription, ?2 paused
UPDATE subscriptions SET paused = ?2 WHERE id = ?1;
