-- ?1 subscription, ?2 key, ?3 place, ?4 lane, ?5 stream, ?6 version, ?7 position, ?8 event id,
-- ?9 type, ?10 state, ?11 attempts, ?12 error, ?13 reason, ?14 now
REPLACE INTO parked (subscription, key, place, lane, stream, version, position, event_id, type, state, attempts, error, reason, time)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14);
