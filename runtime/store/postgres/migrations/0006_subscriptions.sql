-- One row per named reader of events.
CREATE TABLE subscriptions (
  id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name     text COLLATE "C" NOT NULL UNIQUE,
  -- What it reads and how it is divided, in the words of package subscribe.
  settings text NOT NULL,
  -- Nobody gets its lanes.
  paused   boolean NOT NULL DEFAULT false,
  created  timestamptz NOT NULL
);

-- Processes that run subscriptions. A row changes with every renewal, so new
-- versions get room on its page.
CREATE TABLE members (
  id      uuid PRIMARY KEY,
  label   text NOT NULL,
  -- Until when it is alive.
  expires timestamptz NOT NULL,
  -- How long a renewal keeps it alive.
  lease   interval NOT NULL,
  -- Names of the subscriptions that it takes part in.
  runs    text[] COLLATE "C" NOT NULL
) WITH (fillfactor = 50);

-- Parts of subscriptions. What changes with every checkpoint is in no index, so
-- that a new version costs no entry in one.
CREATE TABLE lanes (
  subscription_id bigint NOT NULL REFERENCES subscriptions ON DELETE CASCADE,
  lane            integer NOT NULL CHECK (lane >= 0),
  -- The position, or of a subscription to one stream the version, up to which
  -- everything is handled.
  at              bigint NOT NULL CHECK (at >= 0),
  -- Rises whenever the owner changes, and is none that a lane of a deleted subscription
  -- of this name had.
  token           bigint NOT NULL,
  owner           uuid REFERENCES members,
  -- From whom it was taken back, and until when that member may not know it and go
  -- on working: so long nobody else gets the lane.
  former          uuid,
  former_until    timestamptz,
  -- What the owner cannot do, and since when.
  error           text,
  error_since     timestamptz,
  -- When at last moved.
  changed         timestamptz NOT NULL,
  PRIMARY KEY (subscription_id, lane)
) WITH (fillfactor = 50);

CREATE INDEX lanes_owner_idx ON lanes (owner) WHERE owner IS NOT NULL;
CREATE INDEX lanes_former_idx ON lanes (former) WHERE former IS NOT NULL;

-- Events that subscriptions could not handle, or that wait behind one.
CREATE TABLE parked (
  subscription_id bigint NOT NULL REFERENCES subscriptions ON DELETE CASCADE,
  lane            integer NOT NULL,
  -- The partition key.
  key             text COLLATE "C" NOT NULL,
  -- The event's place as the subscription counts.
  at              bigint NOT NULL,
  stream          text COLLATE "C" NOT NULL,
  version         bigint NOT NULL,
  position        bigint NOT NULL,
  event_id        uuid NOT NULL,
  type            text COLLATE "C" NOT NULL,
  state           text COLLATE "C" NOT NULL CHECK (state IN ('parked', 'retry', 'skipped', 'discarded')),
  attempts        integer NOT NULL,
  error           text NOT NULL,
  reason          text NOT NULL,
  time            timestamptz NOT NULL,
  PRIMARY KEY (subscription_id, key, at)
);

-- Owners look for what is to be tried again with every renewal; records of what
-- was skipped or discarded are not to be in the way.
CREATE INDEX parked_waiting_idx ON parked (subscription_id, state, key, at) WHERE state IN ('parked', 'retry');
