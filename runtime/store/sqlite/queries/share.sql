-- How many lanes there are, how many of them are a member's, how many living members
-- run the subscription, and how many of those come before it.
-- ?1 subscription, ?2 name, ?3 member, ?4 now
SELECT count(*), count(*) FILTER (WHERE owner = ?3),
    (SELECT count(*) FROM members AS m WHERE (m.expires > ?4 OR m.id = ?3)
        AND EXISTS (SELECT 1 FROM json_each(m.runs) WHERE value = ?2)),
    (SELECT count(*) FROM members AS m WHERE m.expires > ?4 AND m.id < ?3
        AND EXISTS (SELECT 1 FROM json_each(m.runs) WHERE value = ?2))
FROM lanes WHERE subscription = ?1;
