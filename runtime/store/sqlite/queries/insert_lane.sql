-- Tokens begin with the time, beyond those of a subscription that had the name before:
-- its owners may still be at work, and must not be taken for this one's.
-- ?1 subscription, ?2 lane, ?3 place, ?4 now
INSERT INTO lanes (subscription, lane, place, token, changed) VALUES (?1, ?2, ?3, ?4, ?4);
