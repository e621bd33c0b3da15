-- ?1 subscription, ?2 lane, ?3 place, ?4 now
INSERT INTO lanes (subscription, lane, place, token, changed) VALUES (?1, ?2, ?3, 0, ?4);
