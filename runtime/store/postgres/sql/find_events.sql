-- $1 ids
SELECT event_id, stream, version, position FROM esgen.find_events($1::uuid[]);
