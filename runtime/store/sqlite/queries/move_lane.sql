-- ?1 subscription, ?2 lane, ?3 place, ?4 now
UPDATE lanes SET place = ?3, changed = ?4 WHERE subscription = ?1 AND lane = ?2;
