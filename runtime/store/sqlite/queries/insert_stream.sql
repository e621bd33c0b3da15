-- ?1 name, ?2 category or NULL, ?3 created in microseconds
INSERT INTO streams (name, category, created) VALUES (?1, ?2, ?3);
