-- Its number and whether it is paused.
-- ?1 name
SELECT id, paused FROM subscriptions WHERE name = ?1;
