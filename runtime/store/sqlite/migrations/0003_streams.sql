-- A stream's version is that of its last event or link: one probe of an index
-- each. It is stored nowhere else, so that it cannot differ from them and an
-- append to an existing stream writes no page of this table.
CREATE TABLE streams (
    id       INTEGER PRIMARY KEY,
    name     TEXT NOT NULL UNIQUE,
    -- Its number in categories. NULL: the name has no dash.
    category INTEGER,
    -- Time of the first event, in microseconds since 1970 UTC.
    created  INTEGER NOT NULL,
    -- No event or link gets a version at or below it: written only when the last
    -- ones were removed.
    floor    INTEGER NOT NULL DEFAULT 0,
    -- Reads begin with this version.
    first    INTEGER NOT NULL DEFAULT 1,
    -- When it was softly deleted, in microseconds since 1970 UTC. NULL: it is not.
    deleted  INTEGER
) STRICT;

-- Events refer to a stream by its number. To have that checked by a foreign key
-- would cost every event a look-up.
CREATE TRIGGER streams_refuse_delete BEFORE DELETE ON streams
WHEN (SELECT removing FROM store) = 0
BEGIN
    SELECT raise(ABORT, 'streams are never deleted by hand');
END;

CREATE TRIGGER streams_refuse_update BEFORE UPDATE OF id, name, category, created ON streams
BEGIN
    SELECT raise(ABORT, 'stored streams are never changed');
END;
