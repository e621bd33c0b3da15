-- One row per named reader of events. Times are microseconds since 1970 UTC.
CREATE TABLE subscriptions (
    -- Never given again: tokens begin with it.
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    name     TEXT    NOT NULL UNIQUE,
    -- What it reads and how it is divided, in the words of package subscribe.
    settings TEXT    NOT NULL,
    -- 1: nobody gets its lanes.
    paused   INTEGER NOT NULL,
    created  INTEGER NOT NULL
) STRICT;

-- Processes that run subscriptions.
CREATE TABLE members (
    id      BLOB    PRIMARY KEY CHECK (length(id) = 16),
    label   TEXT    NOT NULL,
    -- Until when it is alive.
    expires INTEGER NOT NULL,
    -- A list in JSON of the names of the subscriptions that it takes part in.
    runs    TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

-- Parts of subscriptions.
CREATE TABLE lanes (
    -- Its number in subscriptions.
    subscription INTEGER NOT NULL,
    lane         INTEGER NOT NULL,
    -- The position, or of a subscription to one stream the version, up to which
    -- everything is handled.
    place        INTEGER NOT NULL CHECK (place >= 0),
    -- Rises whenever the owner changes, and is none that a lane of a deleted
    -- subscription of this name had.
    token        INTEGER NOT NULL,
    -- A member.
    owner        BLOB,
    -- From whom it was taken back, and until when that member may not know it and
    -- go on working: so long nobody else gets the lane.
    former       BLOB,
    former_until INTEGER,
    -- What the owner cannot do, and since when.
    error        TEXT,
    error_since  INTEGER,
    -- When place last moved.
    changed      INTEGER NOT NULL,
    PRIMARY KEY (subscription, lane)
) STRICT, WITHOUT ROWID;

CREATE INDEX lanes_by_owner ON lanes (owner) WHERE owner IS NOT NULL;
CREATE INDEX lanes_by_former ON lanes (former) WHERE former IS NOT NULL;

-- Events that subscriptions could not handle, or that wait behind one.
CREATE TABLE parked (
    -- Its number in subscriptions.
    subscription INTEGER NOT NULL,
    -- The partition key.
    key          TEXT    NOT NULL,
    -- The event's place as the subscription counts.
    place        INTEGER NOT NULL,
    lane         INTEGER NOT NULL,
    stream       TEXT    NOT NULL,
    version      INTEGER NOT NULL,
    position     INTEGER NOT NULL,
    event_id     BLOB    NOT NULL CHECK (length(event_id) = 16),
    type         TEXT    NOT NULL,
    state        TEXT    NOT NULL CHECK (state IN ('parked', 'retry', 'skipped', 'discarded')),
    attempts     INTEGER NOT NULL,
    error        TEXT    NOT NULL,
    reason       TEXT    NOT NULL,
    time         INTEGER NOT NULL,
    PRIMARY KEY (subscription, key, place)
) STRICT, WITHOUT ROWID;

-- Owners look for what is to be tried again with every renewal; records of what was
-- skipped or discarded are not to be in the way.
CREATE INDEX parked_waiting ON parked (subscription, state, key, place) WHERE state IN ('parked', 'retry');
