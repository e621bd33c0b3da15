-- The last snapshot of each stream that has one.
CREATE TABLE snapshots (
    id       INTEGER PRIMARY KEY,
    stream   TEXT    NOT NULL UNIQUE,
    version  INTEGER NOT NULL,
    type     TEXT    NOT NULL,
    revision INTEGER NOT NULL,
    format   TEXT    NOT NULL,
    -- Microseconds since 1970 UTC.
    time     INTEGER NOT NULL,
    metadata TEXT,
    data     BLOB    NOT NULL
) STRICT;
