-- A stream's version is that of its last event: one probe of the index of
-- events. It is stored nowhere else, so that it cannot differ from the events
-- and an append to an existing stream writes no page of this table.
CREATE TABLE streams (
    id       INTEGER PRIMARY KEY,
    name     TEXT NOT NULL UNIQUE,
    -- Its number in categories. NULL: the name has no dash.
    category INTEGER,
    -- Time of the first event, in microseconds since 1970 UTC.
    created  INTEGER NOT NULL
) STRICT;

-- Events refer to a stream by its number. To have that checked by a foreign key
-- would cost every event a look-up.
CREATE TRIGGER streams_refuse_delete BEFORE DELETE ON streams
BEGIN
    SELECT raise(ABORT, 'streams are never deleted by hand');
END;

CREATE TRIGGER streams_refuse_update BEFORE UPDATE ON streams
BEGIN
    SELECT raise(ABORT, 'stored streams are never changed');
END;
