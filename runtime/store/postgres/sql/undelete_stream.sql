-- $1 name
SELECT version FROM esgen.undelete_stream($1::text);
