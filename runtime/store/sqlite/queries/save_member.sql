-- ?1 id, ?2 label, ?3 expires, ?4 names of what it runs, as JSON
INSERT INTO members (id, label, expires, runs) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (id) DO UPDATE SET label = ?2, expires = ?3, runs = ?4;
