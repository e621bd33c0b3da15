-- ?1 id
DELETE FROM members WHERE id = ?1;
