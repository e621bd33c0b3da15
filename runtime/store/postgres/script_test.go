package postgres_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/esgen/esgen/internal/pgtest"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/postgres"
)

// shape is everything that a schema holds, in words that do not name it.
func shape(t *testing.T, pool *pgxpool.Pool, schema string) string {
	t.Helper()
	rows, err := pool.Query(t.Context(), `
		SELECT 'relation ' || c.relkind::text || ' ' || c.relname || ' ' || coalesce(array_to_string(c.reloptions, ','), '') || ' ' || coalesce(c.relacl::text, '')
		  FROM pg_class c WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1)
		UNION ALL SELECT 'column ' || c.relname || ' ' || a.attnum || ' ' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull || ' ' || a.attidentity::text || ' ' || coalesce(pg_get_expr(d.adbin, d.adrelid), '')
		  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
		 WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1) AND a.attnum > 0
		UNION ALL SELECT 'constraint ' || conrelid::regclass::text || ' ' || conname || ' ' || pg_get_constraintdef(oid)
		  FROM pg_constraint WHERE connamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1)
		UNION ALL SELECT 'index ' || pg_get_indexdef(i.indexrelid)
		  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1)
		UNION ALL SELECT 'trigger ' || pg_get_triggerdef(g.oid)
		  FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1)
		UNION ALL SELECT 'function ' || pg_get_functiondef(oid) || ' ' || coalesce(proacl::text, '')
		  FROM pg_proc WHERE pronamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1)
		UNION ALL SELECT 'taken ' || line FROM (SELECT query_to_xml(format('SELECT number, name FROM %I.migrations ORDER BY number', $1::text), nulls => false, tableforest => false, targetns => '')::text AS line) x`, schema)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	// Triggers of constraints are numbered by the server.
	var kept []string
	for _, line := range lines {
		if !strings.Contains(line, "RI_ConstraintTrigger") {
			kept = append(kept, strings.ReplaceAll(line, schema, "SCHEMA"))
		}
	}
	return strings.Join(slices.Sorted(slices.Values(kept)), "\n")
}

func runScript(t *testing.T, pool *pgxpool.Pool, script string) error {
	t.Helper()
	return pool.AcquireFunc(t.Context(), func(conn *pgxpool.Conn) error {
		defer func() { _, _ = conn.Exec(context.Background(), "ROLLBACK") }()
		_, err := conn.Conn().PgConn().Exec(t.Context(), script).ReadAll()
		return err
	})
}

func TestAScriptDoesWhatMigrateDoes(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	migrated, scripted, both := pgtest.Schema(t), pgtest.Schema(t), pgtest.Schema(t)
	openOn(t, pool, postgres.Config{Schema: migrated})
	want := shape(t, pool, migrated)
	if !strings.Contains(want, "function ") || !strings.Contains(want, "trigger ") {
		t.Fatalf("the schema has no functions or triggers:\n%s", want)
	}
	script, err := postgres.Script(scripted, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := runScript(t, pool, script); err != nil {
		t.Fatal(err)
	}
	if got := shape(t, pool, scripted); got != want {
		t.Errorf("a script made\n%s\nMigrate made\n%s", got, want)
	}

	// Half by script, half by Migrate.
	if script, err = postgres.Script(both, 0); err != nil {
		t.Fatal(err)
	}
	half, _, _ := strings.Cut(script, "\n-- Migration 5: ")
	if err := runScript(t, pool, half); err != nil {
		t.Fatal(err)
	}
	s := openOn(t, pool, postgres.Config{Schema: both})
	if got := shape(t, pool, both); got != want {
		t.Errorf("a script and Migrate made\n%s\nMigrate made\n%s", got, want)
	}
	if _, err := s.Append(t.Context(), batch("a-1", store.NoStream, event("x", `{}`))); err != nil {
		t.Error(err)
	}

	// Again: nothing is changed.
	if err := runScript(t, pool, script); err == nil || !strings.Contains(err.Error(), "migration 1 follows 0, but the schema is at") {
		t.Errorf("a second run says %v", err)
	}
	if got := shape(t, pool, both); got != want {
		t.Error("a second run changed the schema")
	}
	checkOrder(t, s)
}

func TestScriptRefusals(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		schema string
		after  int
	}{{"", -1}, {"", len(postgres.Migrations()) + 1}, {"pg_mine", 0}, {strings.Repeat("x", 64), 0}} {
		if text, err := postgres.Script(tt.schema, tt.after); !errors.Is(err, store.ErrInvalid) || text != "" {
			t.Errorf("%+v: %v", tt, err)
		}
	}
}

// Names are quoted wherever they stand, also between dollars.
func TestScriptsQuoteNames(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	for _, name := range []string{`it's`, `a"b`, `c\d`, `e$do$f`, `$g`} {
		schema := pgtest.Schema(t)[:24] + name
		t.Cleanup(func() { dropSchema(t, pool, schema) })
		script, err := postgres.Script(schema, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := runScript(t, pool, script); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		s, err := postgres.New(pool, postgres.Config{Schema: schema})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Check(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
