-- ?1 subscription, ?2 lane, ?3 what went wrong, NULL if nothing does, ?4 now
UPDATE lanes SET error = ?3, error_since = CASE WHEN ?3 IS NULL THEN NULL ELSE coalesce(error_since, ?4) END
WHERE subscription = ?1 AND lane = ?2;
