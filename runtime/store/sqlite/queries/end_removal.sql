-- Ends what begin_removal.sql allows.
UPDATE store SET removing = 0;
