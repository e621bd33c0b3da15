-- Wide columns stand last: a filter by type or time reads no payload.
CREATE TABLE events (
    position    INTEGER PRIMARY KEY CHECK (position > 0),
    -- Its number in streams.
    stream      INTEGER NOT NULL,
    version     INTEGER NOT NULL CHECK (version > 0),
    -- That of the stream. NULL: none.
    category    INTEGER,
    event_id    BLOB    NOT NULL CHECK (length(event_id) = 16),
    type        TEXT    NOT NULL,
    revision    INTEGER NOT NULL,
    -- Microseconds since 1970 UTC.
    time        INTEGER NOT NULL,
    correlation BLOB,
    causation   BLOB,
    format      TEXT    NOT NULL,
    -- A JSON object. NULL: none.
    metadata    TEXT,
    data        BLOB    NOT NULL,
    UNIQUE (stream, version),
    UNIQUE (event_id)
) STRICT;

-- The position follows by itself: an index ends in the row's key. So a page of
-- a category is read in order and without touching other events.
CREATE INDEX events_by_category ON events (category) WHERE category IS NOT NULL;

CREATE TRIGGER events_refuse_update BEFORE UPDATE ON events
BEGIN
    SELECT raise(ABORT, 'stored events are never changed; append an event that corrects');
END;

CREATE TRIGGER events_refuse_delete BEFORE DELETE ON events
WHEN (SELECT removing FROM store) = 0
BEGIN
    SELECT raise(ABORT, 'stored events are never deleted by hand');
END;

-- REPLACE deletes rows without asking the trigger above. This costs an append
-- some microseconds per event.
CREATE TRIGGER events_refuse_replace BEFORE INSERT ON events
WHEN NEW.position <= (SELECT max(position) FROM events)
    OR EXISTS (SELECT 1 FROM events WHERE event_id = NEW.event_id)
    OR EXISTS (SELECT 1 FROM events WHERE stream = NEW.stream AND version = NEW.version)
BEGIN
    SELECT raise(ABORT, 'a stored event is never replaced');
END;
