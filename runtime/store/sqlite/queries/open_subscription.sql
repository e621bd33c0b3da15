-- ?1 name, ?2 settings, ?3 now
INSERT INTO subscriptions (name, settings, paused, created) VALUES (?1, ?2, 0, ?3);
