-- ?1 name, ?2 place, ?3 time in microseconds
UPDATE subscriptions SET place = ?2, time = ?3 WHERE name = ?1;
