-- One row: what this schema is.
CREATE TABLE store (
  one    boolean PRIMARY KEY DEFAULT true CHECK (one),
  -- How the tables are laid out; a program refuses a layout it does not know.
  format integer NOT NULL,
  -- Names this history of events. Whoever remembers a position remembers it too.
  epoch  uuid NOT NULL DEFAULT gen_random_uuid(),
  -- No position up to here is given again, also if its event was removed.
  floor  bigint NOT NULL DEFAULT 0 CHECK (floor >= 0)
);

INSERT INTO store (format) VALUES (1);
