-- What open transactions owe to the order of all events: one row per append, gone
-- at its commit. It is empty whenever no transaction is open.
CREATE TABLE pending (
  pending_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- The events that need positions, in this order: count versions of a stream
  -- from version on.
  stream_ids bigint[] NOT NULL,
  versions   bigint[] NOT NULL,
  counts     integer[] NOT NULL,
  -- The highest position that the transaction removed.
  removed    bigint
);
