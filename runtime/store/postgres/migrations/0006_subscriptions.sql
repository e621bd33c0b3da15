-- One row per subscription: how far it has come. It changes often, so its new rows
-- get room on its page.
CREATE TABLE subscriptions (
  name     text COLLATE "C" PRIMARY KEY,
  -- What it reads, in the words of package subscribe.
  settings text NOT NULL,
  -- The position, or of a subscription to one stream the version, last handled.
  at       bigint NOT NULL CHECK (at >= 0),
  updated  timestamptz NOT NULL
) WITH (fillfactor = 50);
