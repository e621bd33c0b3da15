-- A stream's version is that of its last event: one probe of the index of
-- events. It is stored nowhere else, so that it cannot differ from the events
-- and an append to an existing stream writes no page of this table.
CREATE TABLE streams (
    id       INTEGER PRIMARY KEY,
    name     TEXT NOT NULL UNIQUE,
    -- NULL: the name has no dash.
    category INTEGER REFERENCES categories (id),
    -- Time of the first event, in microseconds since 1970 UTC.
    created  INTEGER NOT NULL
) STRICT;
