-- References to events, each with a version of the stream that it stands in.
-- Reads merge them with the stream's own events.
CREATE TABLE links (
    -- Its number in streams.
    stream   INTEGER NOT NULL,
    version  INTEGER NOT NULL CHECK (version > 0),
    -- That of the event.
    position INTEGER NOT NULL,
    PRIMARY KEY (stream, version)
) STRICT, WITHOUT ROWID;

-- A stream holds an event once. Also finds the links to events that are removed.
CREATE UNIQUE INDEX links_by_event ON links (position, stream);

CREATE TRIGGER links_refuse_update BEFORE UPDATE ON links
BEGIN
    SELECT raise(ABORT, 'stored links are never changed');
END;

CREATE TRIGGER links_refuse_delete BEFORE DELETE ON links
WHEN (SELECT removing FROM store) = 0
BEGIN
    SELECT raise(ABORT, 'stored links are never deleted by hand');
END;

-- REPLACE deletes rows without asking the trigger above. A version is an event's
-- or a link's.
CREATE TRIGGER links_refuse_replace BEFORE INSERT ON links
WHEN EXISTS (SELECT 1 FROM links WHERE stream = NEW.stream AND version = NEW.version)
    OR EXISTS (SELECT 1 FROM links WHERE position = NEW.position AND stream = NEW.stream)
    OR EXISTS (SELECT 1 FROM events WHERE stream = NEW.stream AND version = NEW.version)
BEGIN
    SELECT raise(ABORT, 'a stored link is never replaced');
END;
