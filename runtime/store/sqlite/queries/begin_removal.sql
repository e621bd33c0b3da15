-- Lets this transaction delete events, and keeps their positions from being given
-- again.
UPDATE store SET removing = 1, floor = max(floor, coalesce((SELECT max(position) FROM events), 0));
