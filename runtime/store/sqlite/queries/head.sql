-- The last position that was given.
SELECT max(floor, coalesce((SELECT max(position) FROM events), 0)) FROM store;
