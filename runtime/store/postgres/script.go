package postgres

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/esgen/esgen/internal/printable"
	"github.com/esgen/esgen/runtime/store"
)

// Script returns the steps behind number after (0 for all) as SQL that psql, or
// whatever runs statements in order, carries out on a schema with the same result
// as [Store.Migrate]. Each step is a transaction that takes the same lock and then
// checks that it is the next one: to run the script again, or beside a program that
// migrates, changes nothing, and says so. An empty schema is [DefaultSchema].
//
// The error is a [*store.InvalidError]: no such step, or no such name.
func Script(schema string, after int) (string, error) {
	if schema == "" {
		schema = DefaultSchema
	}
	if err := checkSchema(schema); err != nil {
		return "", err
	}
	all := Migrations()
	if after < 0 || after > len(all) {
		return "", &store.InvalidError{What: "migration", Value: strconv.Itoa(after), Reason: fmt.Sprintf("there are %d", len(all))}
	}
	quoted := quote(schema)
	if after == len(all) {
		return fmt.Sprintf("-- No migration follows number %d of the event store in schema %s.\n", after, printable.Name(schema)), nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, "-- Migrations %d to %d of the event store in schema %s.\n", after+1, len(all), printable.Name(schema))
	for _, m := range all[after:] {
		fmt.Fprintf(&b, "\n-- Migration %d: %s\nBEGIN ISOLATION LEVEL READ COMMITTED;\n", m.Number, m.Name)
		fmt.Fprintf(&b, "SELECT pg_advisory_xact_lock(hashtext('esgen migrate'), hashtext(%s));\n", quoteLiteral(schema))
		if m.Number == 1 {
			b.WriteString(begin(schema))
		}
		fmt.Fprintf(&b, "SET LOCAL search_path = %s, pg_temp;\n", quoted)
		b.WriteString(guard(m.Number))
		b.WriteString(strings.TrimRight(m.SQL, "\n") + "\n")
		fmt.Fprintf(&b, "INSERT INTO migrations (number, name) VALUES (%d, %s);\nCOMMIT;\n", m.Number, quoteLiteral(m.Name))
	}
	return b.String(), nil
}

// begin makes what the first step needs, and the schema only if it is missing: a
// role that may not create schemas may own one.
func begin(schema string) string {
	return do(fmt.Sprintf(`
BEGIN
  IF NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = %s) THEN
    CREATE SCHEMA %s;
  END IF;
END
`, quoteLiteral(schema), quote(schema))) + fmt.Sprintf(`CREATE TABLE IF NOT EXISTS %s.migrations (
  number  integer PRIMARY KEY,
  name    text NOT NULL,
  applied timestamptz NOT NULL DEFAULT now()
);
`, quote(schema))
}

// guard ends the transaction of a step whose turn it is not.
func guard(number int) string {
	return do(fmt.Sprintf(`
DECLARE
  have integer := (SELECT coalesce(max(number), 0) FROM migrations);
BEGIN
  IF have <> %d THEN
    RAISE EXCEPTION 'migration %d follows %d, but the schema is at %%; nothing was changed', have;
  END IF;
END
`, number-1, number, number-1))
}

// do quotes a block between dollars that do not stand in it.
func do(block string) string {
	tag := "$do$"
	for strings.Contains(block, tag) {
		tag = "$d" + tag[1:]
	}
	return "DO " + tag + block + tag + ";\n"
}
