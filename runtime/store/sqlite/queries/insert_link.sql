-- ?1 stream, ?2 version, ?3 position
INSERT INTO links (stream, version, position) VALUES (?1, ?2, ?3);
