-- Checkpoints of named subscriptions. A place is an unsigned number of 64 bits,
-- kept in a signed one.
CREATE TABLE subscriptions (
    name     TEXT PRIMARY KEY,
    settings TEXT    NOT NULL,
    place    INTEGER NOT NULL,
    -- Microseconds since 1970 UTC.
    time     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
