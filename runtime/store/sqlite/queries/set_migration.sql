-- ?1 the last migration that ran
UPDATE store SET migration = ?1;
