-- ?1 long ago
DELETE FROM members WHERE expires < ?1 AND NOT EXISTS (SELECT 1 FROM lanes WHERE owner = members.id);
