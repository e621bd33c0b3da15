-- ?1 subscription, ?2 key, ?3 state, ?4 reason, ?5 now
UPDATE parked SET state = ?3, reason = ?4, time = ?5
WHERE subscription = ?1 AND key = ?2 AND state IN ('parked', 'retry');
