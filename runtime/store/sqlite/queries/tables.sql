-- How many things the schema holds.
SELECT count(*) FROM sqlite_schema;
