-- ?1 subscription, ?2 place, ?3 now
UPDATE lanes SET place = ?2, changed = ?3 WHERE subscription = ?1;
