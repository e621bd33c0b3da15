-- Tokens begin where those of no earlier subscription have come to: who held one of
-- this name that was deleted holds nothing.
-- ?1 subscription, ?2 lane, ?3 place, ?4 now
INSERT INTO lanes (subscription, lane, place, token, changed) VALUES (?1, ?2, ?3, ?1 * 1000000000, ?4);
