-- What is known of the store as a whole: one row.
CREATE TABLE store (
    one       INTEGER PRIMARY KEY CHECK (one = 1),
    -- The last migration that ran.
    migration INTEGER NOT NULL,
    -- Made once. A copy that lives on under another epoch is another store.
    epoch     BLOB    NOT NULL CHECK (length(epoch) = 16),
    -- No event gets a position at or below it, whatever the table of events
    -- holds: so a position is never given twice, even when the last events
    -- were deleted.
    floor     INTEGER NOT NULL,
    -- 1 inside a transaction that deletes hard, which ends by making it 0 again:
    -- so nobody else ever sees it, and triggers refuse every other deletion.
    removing  INTEGER NOT NULL
) STRICT;

INSERT INTO store (one, migration, epoch, floor, removing) VALUES (1, 0, randomblob(16), 0, 0);
