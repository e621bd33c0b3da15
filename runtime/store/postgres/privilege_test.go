package postgres_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/esgen/esgen/internal/pages"
	"github.com/esgen/esgen/internal/pgtest"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/postgres"
	"github.com/esgen/esgen/runtime/store/storetest"
)

// role creates a role that may log in and nothing else. It goes with t.
func role(t *testing.T) string {
	t.Helper()
	admin, name := pgtest.Pool(t), pgtest.Schema(t)+"_app"
	run(t, admin, "CREATE ROLE "+name+" LOGIN")
	t.Cleanup(func() {
		if _, err := admin.Exec(context.Background(), "DROP OWNED BY "+name+"; DROP ROLE "+name, pgx.QueryExecModeSimpleProtocol); err != nil {
			t.Error(err)
		}
	})
	return name
}

func run(t testing.TB, pool *pgxpool.Pool, sql string) {
	t.Helper()
	if _, err := pool.Exec(t.Context(), sql, pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatalf("%v in %s", err, sql)
	}
}

// privileges is the SQL of docs/privileges.md under a heading, for a role and a schema.
func privileges(t testing.TB, heading, schema, role string) string {
	t.Helper()
	return strings.NewReplacer("esgen", schema, "bank_app", role).Replace(pages.Open(t, "docs/privileges.md").Section(heading).Blocks("sql")[0])
}

const (
	forTheApplication = "An application"
	forHardDeletes    = "Hard deletes"
	forReading        = "A reader"
)

func as(role string) func(*pgxpool.Config) {
	return func(c *pgxpool.Config) { c.ConnConfig.User = role }
}

// undeleted is a store that declares no deletion, so that the suite asks for none.
type undeleted struct {
	store.Store
	store.Catalog
	store.Snapshots
	store.Linker
	store.Transactor

	schema string
}

func (u undeleted) Capabilities() store.Capabilities {
	return u.Store.Capabilities() &^ store.Deletes
}

// TestTheContractHoldsForARoleThatOwnsNothing runs the suite as a role with the
// rights that docs/privileges.md grants an application: whole with hard deletes, and
// without them but for deletions.
func TestTheContractHoldsForARoleThatOwnsNothing(t *testing.T) {
	t.Parallel()
	app := role(t)
	hidden := func(s *postgres.Store) store.Store {
		return undeleted{Store: s, Catalog: s, Snapshots: s, Linker: s, Transactor: s, schema: postgres.SchemaOf(s)}
	}
	for _, c := range []struct {
		name     string
		grants   []string
		declares store.Capabilities
		show     func(*postgres.Store) store.Store
	}{
		{"without hard deletes", []string{forTheApplication}, storetest.Postgres &^ store.Deletes, hidden},
		{"with hard deletes", []string{forTheApplication, forHardDeletes}, storetest.Postgres, func(s *postgres.Store) store.Store { return s }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			opened := func(t testing.TB, config postgres.Config) *postgres.Store {
				t.Helper()
				s, err := postgres.New(pgtest.Pool(t, as(app)), config)
				if err != nil {
					t.Fatal(err)
				}
				return s
			}
			open := func(t testing.TB, config postgres.Config) store.Store {
				t.Helper()
				owner := pgtest.Pool(t)
				config.Schema = pgtest.Schema(t)
				openOn(t, owner, config)
				for _, heading := range c.grants {
					run(t, owner, privileges(t, heading, config.Schema, app))
				}
				return c.show(opened(t, config))
			}
			again := func(t testing.TB, s store.Store) store.Store {
				t.Helper()
				config := postgres.Config{HardDeletes: true}
				switch s := s.(type) {
				case undeleted:
					config.Schema = s.schema
				case *postgres.Store:
					config.Schema = postgres.SchemaOf(s)
				}
				return c.show(opened(t, config))
			}
			storetest.Run(t, storetest.Setup{
				Open:                   func(t testing.TB) store.Store { return open(t, postgres.Config{HardDeletes: true}) },
				OpenWithoutHardDeletes: func(t testing.TB) store.Store { return open(t, postgres.Config{}) },
				Observed:               func(t testing.TB, o store.Observer) store.Store { return open(t, postgres.Config{Observer: o}) },
				Declares:               c.declares, Reopen: again, Another: again,
			})
		})
	}
}

// granted is a store with an event, opened by a role with rights under headings of
// the page.
func granted(t *testing.T, headings ...string) (s *postgres.Store, owner, app *pgxpool.Pool, schema string) {
	t.Helper()
	owner, name := pgtest.Pool(t), role(t)
	schema = pgtest.Schema(t)
	mustAppend(t, openOn(t, owner, postgres.Config{Schema: schema}), one("bank-1", 0))
	for _, heading := range headings {
		run(t, owner, privileges(t, heading, schema, name))
	}
	app = pgtest.Pool(t, as(name))
	s, err := postgres.New(app, postgres.Config{Schema: schema, HardDeletes: true})
	if err != nil {
		t.Fatal(err)
	}
	return s, owner, app, schema
}

// denied fails t unless PostgreSQL refuses sql for want of a right.
func denied(t *testing.T, pool *pgxpool.Pool, sql string) {
	t.Helper()
	err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), sql, pgx.QueryExecModeSimpleProtocol)
		return err
	})
	if err == nil || !strings.Contains(err.Error(), "permission denied") && !strings.Contains(err.Error(), "must be owner") {
		t.Errorf("%s: %v", sql, err)
	}
}

// TestAnApplicationCannotChangeHistory tries what the page says that an application
// cannot do, also with the setting under which functions remove events.
func TestAnApplicationCannotChangeHistory(t *testing.T) {
	t.Parallel()
	s, _, app, schema := granted(t, forTheApplication)
	// Softly it deletes: nothing is lost by that.
	if err := s.Delete(t.Context(), "bank-1", 1, store.Soft); err != nil {
		t.Error(err)
	}
	if err := s.Undelete(t.Context(), "bank-1"); err != nil {
		t.Error(err)
	}
	if err := s.Delete(t.Context(), "bank-1", 1, store.Hard); err == nil || !strings.Contains(err.Error(), "permission denied for function remove") || !strings.Contains(err.Error(), "on remove only for hard deletes") {
		t.Errorf("a hard delete: %v", err)
	}
	if err := s.Truncate(t.Context(), "bank-1", 2, store.Hard); err == nil || !strings.Contains(err.Error(), "permission denied") {
		t.Errorf("a hard truncation: %v", err)
	}
	for _, sql := range []string{
		"UPDATE %s.events SET type = 'y'", "UPDATE %s.events SET position = 7", "DELETE FROM %s.events", "TRUNCATE %s.events",
		"INSERT INTO %s.events DEFAULT VALUES", "UPDATE %s.streams SET version = 0", "INSERT INTO %s.streams DEFAULT VALUES",
		"DELETE FROM %s.streams", "DELETE FROM %s.links", "INSERT INTO %s.links DEFAULT VALUES", "UPDATE %s.store SET floor = 99",
		"INSERT INTO %s.pending DEFAULT VALUES", "DELETE FROM %s.pending", "INSERT INTO %s.migrations VALUES (99, 'x')",
		"ALTER TABLE %s.events DISABLE TRIGGER USER", "DROP TABLE %s.events", "CREATE TABLE %s.mine ()",
		"SELECT nextval('%s.streams_stream_id_seq')", "SELECT %s.remove('bank-1', -1, NULL)",
		"SET LOCAL session_replication_role = replica", "SELECT %s.settle()", "CREATE FUNCTION %s.hashtext(text) RETURNS integer LANGUAGE sql AS 'SELECT 1'",
	} {
		sql = strings.ReplaceAll(sql, "%s", schema)
		denied(t, app, sql)
		denied(t, app, "SET LOCAL esgen.hard_delete = on; "+sql)
	}
	checkStored(t, s, 1)
}

// TestAFunctionOfTheStoreServesNoTriggerOfOthers hangs the trigger that gives
// positions on a table of another's: it would do what its rows say.
func TestAFunctionOfTheStoreServesNoTriggerOfOthers(t *testing.T) {
	t.Parallel()
	_, owner, app, schema := granted(t, forTheApplication)
	forge := fmt.Sprintf(`CREATE TEMP TABLE forged (LIKE %[1]s.pending);
		CREATE TRIGGER forged AFTER INSERT ON forged FOR EACH ROW EXECUTE FUNCTION %[1]s.settle();`, schema)
	denied(t, app, forge)

	// Whoever grants EXECUTE on all functions grants this one, too.
	run(t, owner, fmt.Sprintf("GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA %s TO PUBLIC", schema))
	s, err := postgres.New(app, postgres.Config{Schema: schema})
	if err != nil {
		t.Fatal(err)
	}
	tx, err := app.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(t.Context()) }()
	mustAppend(t, s.WithTx(tx), one("bank-2", 0))
	_, err = tx.Exec(t.Context(), forge+fmt.Sprintf(`INSERT INTO forged
		SELECT pending_id, stream_ids, versions, counts, 9000000000 FROM %s.pending`, schema), pgx.QueryExecModeSimpleProtocol)
	if err == nil || !strings.Contains(err.Error(), "belongs to pending only") {
		t.Errorf("the trigger served another table: %v", err)
	}
}

// TestNoTableOfOthersShadowsTheStores has temporary tables and a schema of functions
// in front of the store's, in the session that appends, reads, links and deletes.
func TestNoTableOfOthersShadowsTheStores(t *testing.T) {
	t.Parallel()
	owner, name := pgtest.Pool(t), role(t)
	schema, evil := pgtest.Schema(t), pgtest.Schema(t)
	openOn(t, owner, postgres.Config{Schema: schema})
	run(t, owner, privileges(t, forTheApplication, schema, name)+privileges(t, forHardDeletes, schema, name))
	run(t, owner, "CREATE SCHEMA "+evil+" AUTHORIZATION "+name)
	app := pgtest.Pool(t, as(name), func(c *pgxpool.Config) { c.MaxConns = 1 })
	run(t, app, "SET search_path = pg_temp, "+evil+", pg_catalog")
	for _, table := range []string{"store", "streams", "events", "links", "pending", "subscriptions", "lanes", "members", "parked", "snapshots", "migrations"} {
		run(t, app, fmt.Sprintf("CREATE TEMP TABLE %s (LIKE %s.%[1]s INCLUDING ALL)", table, schema))
	}
	for _, function := range []string{
		"hashtext(text) RETURNS integer", "cardinality(bigint[]) RETURNS integer", "now() RETURNS timestamptz",
		"pg_advisory_xact_lock(integer, integer) RETURNS void", "set_config(text, text, boolean) RETURNS text", "nextval(text) RETURNS bigint",
	} {
		run(t, app, fmt.Sprintf("CREATE FUNCTION %s.%s LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'shadowed'; END $$", evil, function))
	}
	s, err := postgres.New(app, postgres.Config{Schema: schema, HardDeletes: true})
	if err != nil {
		t.Fatal(err)
	}
	e := event("x", `{}`)
	mustAppend(t, s, batch("bank-1", 0, e), batch("bank-2", 0, event("x", `{}`), event("x", `{}`)))
	if _, err := postgres.InTx(t.Context(), s, func(ctx context.Context, _ pgx.Tx, in *postgres.Tx) error {
		_, err := in.Append(ctx, one("bank-3", 0))
		return err
	}); err != nil {
		t.Error(err)
	}
	if _, err := s.Link(t.Context(), "list-1", 0, e.ID); err != nil {
		t.Error(err)
	}
	if err := s.Delete(t.Context(), "bank-3", 1, store.Hard); err != nil {
		t.Error(err)
	}
	if _, err := s.Subscriptions().Open(t.Context(), store.Subscription{Name: "n", Lanes: make([]store.Lane, 1)}); err != nil {
		t.Error(err)
	}
	checkStored(t, s, 3)
	for _, table := range []string{"store", "streams", "events", "links", "pending", "subscriptions", "lanes", "members", "parked", "snapshots"} {
		var n int
		if err := app.QueryRow(t.Context(), "SELECT count(*) FROM pg_temp."+table).Scan(&n); err != nil || n != 0 {
			t.Errorf("%d rows went to the temporary table %s, %v", n, table, err)
		}
	}
}

// TestFunctionsThatActForTheirOwnerAreClosed holds of every function of a schema:
// nobody may call it unless granted, and it looks for names in the store's schema
// before any place where others make them.
func TestFunctionsThatActForTheirOwnerAreClosed(t *testing.T) {
	t.Parallel()
	pool, schema := pgtest.Pool(t), pgtest.Schema(t)
	openOn(t, pool, postgres.Config{Schema: schema})
	rows, err := pool.Query(t.Context(), `
		SELECT p.proname, p.prosecdef, coalesce(p.proconfig, '{}'), coalesce(p.proacl::text[], '{=X/}')
		  FROM pg_proc p WHERE p.pronamespace = $1::regnamespace`, schema)
	if err != nil {
		t.Fatal(err)
	}
	definers := 0
	var name string
	var definer bool
	var settings, acl []string
	if _, err := pgx.ForEachRow(rows, []any{&name, &definer, &settings, &acl}, func() error {
		if definer {
			definers++
		}
		if want := "search_path=" + schema + ", pg_temp"; !strings.Contains(strings.Join(settings, "\n")+"\n", want+"\n") {
			t.Errorf("%s has %q, want %s", name, settings, want)
		}
		for _, entry := range acl {
			// It only refuses, and for whoever calls it.
			if strings.HasPrefix(entry, "=") && name != "refuse_change" {
				t.Errorf("everybody may call %s", name)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if definers < 5 {
		t.Errorf("%d functions act for their owner: the query finds too few", definers)
	}
}

// TestARoleWithoutUsageCanDoNothing grants everything but the schema.
func TestARoleWithoutUsageCanDoNothing(t *testing.T) {
	t.Parallel()
	s, owner, app, schema := granted(t, forTheApplication)
	run(t, owner, fmt.Sprintf("REVOKE USAGE ON SCHEMA %s FROM %s", schema, app.Config().ConnConfig.User))
	for call, err := range calls(t, s) {
		if err == nil || !strings.Contains(err.Error(), "permission denied for schema "+schema) || !strings.Contains(err.Error(), "grant the role USAGE on schema") {
			t.Errorf("%s: %v", call, err)
		}
	}
}

// TestAReaderReads has a role that reads, also for SQL, and writes nothing.
func TestAReaderReads(t *testing.T) {
	t.Parallel()
	s, _, app, schema := granted(t, forReading)
	checkStored(t, s, 1)
	if _, err := collect(s.Read(t.Context(), store.Query{Since: time.Unix(0, 0), Types: []string{"x"}})); err != nil {
		t.Error(err)
	}
	if info, err := s.StreamInfo(t.Context(), "bank-1"); err != nil || info.Version != 1 {
		t.Errorf("%+v, %v", info, err)
	}
	if _, err := s.Append(t.Context(), one("bank-1", 1)); err == nil || !strings.Contains(err.Error(), "permission denied") {
		t.Errorf("append: %v", err)
	}
	for _, sql := range []string{"DELETE FROM %s.subscriptions", "UPDATE %s.snapshots SET version = 1", "SELECT %s.delete_stream('bank-1', -1, now())"} {
		denied(t, app, fmt.Sprintf(sql, schema))
	}
}
