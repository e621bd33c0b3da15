-- Whether events can be appended.
SELECT coalesce(max(number), 0), pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on'
  FROM esgen.migrations
