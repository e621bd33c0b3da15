-- $1 transaction id: what became of it, NULL if that is forgotten
SELECT pg_xact_status($1::text::xid8);
