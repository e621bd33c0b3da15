-- One row per event, widest alignment first. Rows are inserted and stay as they are.
CREATE TABLE events (
  -- NULL until the transaction that appended the event commits.
  position    bigint CHECK (position > 0),
  stream_id   bigint NOT NULL,
  version     bigint NOT NULL CHECK (version > 0),
  time        timestamptz NOT NULL,
  revision    integer NOT NULL,
  event_id    uuid NOT NULL,
  correlation uuid,
  causation   uuid,
  type        text COLLATE "C" NOT NULL,
  format      text COLLATE "C" NOT NULL,
  data        bytea,
  data_json   jsonb,
  metadata    jsonb,
  PRIMARY KEY (stream_id, version),
  CHECK (num_nonnulls(data, data_json) = 1)
);

-- Streams are short, whatever the first few look like: what the planner learns from a
-- young table would have it scan all events for those of one stream.
ALTER TABLE events ALTER COLUMN stream_id SET (n_distinct = -0.05);

-- Partial: their entries are made under the head lock only, so that no append ever
-- waits in an index for a stranger's open transaction.
CREATE UNIQUE INDEX events_position_key ON events (position) WHERE position IS NOT NULL;
CREATE UNIQUE INDEX events_event_id_key ON events (event_id) WHERE position IS NOT NULL;

CREATE INDEX events_time_idx ON events USING brin (time) WITH (autosummarize = on);
