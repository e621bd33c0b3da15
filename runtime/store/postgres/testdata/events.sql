-- What the first release has written, row by row.
BEGIN;
SET LOCAL search_path = schema_of_the_test;
INSERT INTO streams (name, category, version, created) VALUES
  ('bank-a', 'bank', 2, '2026-01-01T00:00:00Z'),
  ('bank-b', 'bank', 1, '2026-01-01T00:00:00Z');
INSERT INTO events (position, stream_id, version, time, revision, event_id, type, format, data, data_json, metadata) VALUES
  (1, 1, 1, '2026-01-01T00:00:00Z', 1, '019b76da-a800-7000-8000-000000000001', 'bank.opened', 'json', '{"owner":"ada"}', NULL, NULL),
  (2, 1, 2, '2026-01-01T00:00:01Z', 2, '019b76da-a800-7000-8000-000000000002', 'bank.deposited', 'msgpack', '\x81a6616d6f756e7405', NULL, NULL),
  (3, 2, 1, '2026-01-01T00:00:02Z', 1, '019b76da-a800-7000-8000-000000000003', 'bank.opened', 'jsonb', NULL, '{"owner": "bob"}', '{"tenant": "north"}');
COMMIT;
