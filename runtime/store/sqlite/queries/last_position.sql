-- The position of the last event, NULL if there is none.
SELECT max(position) FROM events;
