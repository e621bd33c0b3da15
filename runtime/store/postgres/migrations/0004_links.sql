-- One row per link: version of the stream shows an event of another. An event is
-- linked to a stream once.
CREATE TABLE links (
  stream_id      bigint NOT NULL,
  version        bigint NOT NULL CHECK (version > 0),
  origin_id      bigint NOT NULL,
  origin_version bigint NOT NULL,
  PRIMARY KEY (stream_id, version),
  -- Also finds the links to an event that is removed.
  CONSTRAINT links_origin_key UNIQUE (origin_id, origin_version, stream_id)
);
