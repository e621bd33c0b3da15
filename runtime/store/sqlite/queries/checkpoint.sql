-- A stored checkpoint.
-- ?1 name
SELECT settings, place, time FROM subscriptions WHERE name = ?1;
