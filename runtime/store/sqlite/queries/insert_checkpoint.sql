-- ?1 name, ?2 settings, ?3 place, ?4 time in microseconds
INSERT INTO subscriptions (name, settings, place, time) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (name) DO UPDATE SET settings = ?2;
