-- ?1 subscription, ?2 key, ?3 place
DELETE FROM parked WHERE subscription = ?1 AND key = ?2 AND place = ?3;
