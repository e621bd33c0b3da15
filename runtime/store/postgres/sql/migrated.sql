-- the last migration of the schema, 0 if there is none
SELECT coalesce(max(number), 0)::integer FROM esgen.migrations;
