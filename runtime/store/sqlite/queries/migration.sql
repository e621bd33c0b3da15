-- The last migration that ran.
SELECT migration FROM store;
