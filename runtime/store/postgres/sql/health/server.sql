-- The server as the role sees it.
SELECT clock_timestamp(), current_setting('server_version'), current_database()::text, current_user::text,
       pg_is_in_recovery() OR current_setting('default_transaction_read_only') = 'on',
       current_setting('fsync') = 'on', current_setting('synchronous_commit'),
       (SELECT count(*)::integer FROM pg_stat_activity a WHERE a.backend_type = 'client backend'),
       current_setting('max_connections')::integer,
       pg_has_role('pg_read_all_stats', 'USAGE')
