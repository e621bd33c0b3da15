package sqlite

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/esgen/esgen/runtime/store"
)

// Migrations returns the names of all migrations of this release, in order.
func Migrations() []string { return slices.Clone(migrations) }

// Script returns the migrations behind number after (0 for all) as SQL that the
// shell sqlite3 carries out on a file, with the same result as [Store.Migrate]: run
// it with -bail, for SQLite goes on behind an error. The error is a
// [*store.InvalidError]: no such migration.
func Script(after int) (string, error) {
	if after < 0 || after > len(migrations) {
		return "", &store.InvalidError{What: "migration", Value: strconv.Itoa(after), Reason: fmt.Sprintf("there are %d", len(migrations))}
	}
	if after == len(migrations) {
		return fmt.Sprintf("-- No migration follows number %d of an event store.\n", after), nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, "-- Migrations %d to %d of an event store.\n", after+1, len(migrations))
	if after == 0 {
		fmt.Fprintf(&b, "PRAGMA application_id = %d;\nPRAGMA journal_mode = WAL;\n", applicationID)
	}
	b.WriteString("BEGIN IMMEDIATE;\n")
	for i, name := range migrations[after:] {
		text, err := migrationFiles.ReadFile("migrations/" + name)
		if err != nil {
			return "", err // not reached: they are embedded
		}
		number := after + i + 1
		fmt.Fprintf(&b, "\n-- Migration %d: %s\n%s\nUPDATE store SET migration = %d WHERE migration = %d;\n",
			number, name, strings.TrimSpace(string(text)), number, number-1)
	}
	b.WriteString("\nCOMMIT;\n")
	return b.String(), nil
}
