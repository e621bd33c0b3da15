-- Categories by number: events carry the number, so that their index of
-- categories holds a few bytes per event.
CREATE TABLE categories (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;
