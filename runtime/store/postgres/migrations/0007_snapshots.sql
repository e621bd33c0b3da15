-- At most one row per stream: the last state that somebody saved.
CREATE TABLE snapshots (
  stream    text COLLATE "C" PRIMARY KEY,
  version   bigint NOT NULL,
  time      timestamptz NOT NULL,
  revision  integer NOT NULL,
  type      text COLLATE "C" NOT NULL,
  format    text COLLATE "C" NOT NULL,
  data      bytea,
  data_json jsonb,
  metadata  jsonb,
  CHECK (num_nonnulls(data, data_json) = 1)
);
