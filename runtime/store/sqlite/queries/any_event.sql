-- Whether any of these event ids is stored.
-- ?1 JSON array of ids, 32 hexadecimal digits each
SELECT EXISTS (SELECT 1 FROM json_each(?1) AS id JOIN events AS e ON e.event_id = unhex(id.value));
