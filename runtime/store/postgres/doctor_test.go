package postgres_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/esgen/esgen/internal/pgtest"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/postgres"
)

// found reports whether something was found that text is part of.
func found(r postgres.Report, text string) bool {
	for _, f := range r.Findings {
		if strings.Contains(f.What, text) {
			return true
		}
	}
	return false
}

func onConnect(sql string) func(*pgxpool.Config) {
	return func(c *pgxpool.Config) {
		c.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
			_, err := conn.Exec(ctx, sql)
			return err
		}
	}
}

func named(application string) func(*pgxpool.Config) {
	return func(c *pgxpool.Config) { c.ConnConfig.RuntimeParams["application_name"] = application }
}

func begin(t *testing.T, pool *pgxpool.Pool, statements ...string) pgx.Tx {
	t.Helper()
	tx, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tx.Rollback(context.Background()) })
	for _, sql := range statements {
		if _, err := tx.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	return tx
}

func TestTheDoctorFindsNothingWrongWithAStoreInOrder(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t, pgtest.Options{Durable: true})
	s := openOn(t, server.Pool(t), postgres.Config{})
	if _, err := s.Append(t.Context(), batch("a-1", store.NoStream, event("x", `{}`), event("x", `{}`))); err != nil {
		t.Fatal(err)
	}
	r, err := s.Doctor(t.Context())
	if err != nil || len(r.Findings) > 0 {
		t.Fatalf("%+v, %v", r.Findings, err)
	}
	if r.Head.Position != 2 || r.Head.Epoch == "" || len(r.Migrations.Pending) > 0 || r.Migrations.At != len(postgres.Migrations()) ||
		r.Server.Database != "postgres" || r.Server.ReadOnly || r.Queue == nil || len(r.Tables) < 5 {
		t.Errorf("%+v", r)
	}
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
	// Lists are lists for programs, also if they are empty.
	text, err := json.Marshal(r)
	if err != nil || !strings.Contains(string(text), `"appending":[],"locks":[],"snapshots":[]`) {
		t.Errorf("%s, %v", text, err)
	}
}

func TestTheDoctorNamesWhoHoldsEventsAndWhoWaits(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	s := openOn(t, pool, postgres.Config{Schema: pgtest.Schema(t)})
	if _, err := s.Append(t.Context(), batch("a-1", store.NoStream, event("x", `{}`))); err != nil {
		t.Fatal(err)
	}
	stranger := pgtest.Pool(t, named("stranger"))
	tx := begin(t, stranger)
	if _, err := s.WithTx(tx).Append(t.Context(), batch("a-1", store.Any, event("x", `{}`)), batch("b-1", store.NoStream, event("x", `{}`))); err != nil {
		t.Fatal(err)
	}

	// One waits for the row of a stream, another for the name of a new one.
	waiter := pgtest.Pool(t, named("waiter"))
	w, err := postgres.New(waiter, postgres.Config{Schema: postgres.SchemaOf(s)})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 2)
	for _, stream := range []string{"a-1", "b-1"} {
		go func() {
			_, err := w.Append(t.Context(), batch(stream, store.Any, event("x", `{}`)))
			ended <- err
		}()
	}
	waitFor(t, pool, "both wait", "SELECT count(*) = 2 FROM pg_stat_activity WHERE application_name = 'waiter' AND wait_event_type = 'Lock' AND datname = current_database()")

	r, err := s.Doctor(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Appending) == 0 || r.Appending[0].Application != "stranger" || r.Appending[0].Age == nil || r.Appending[0].State != "idle in transaction" || r.Appending[0].Query == "" {
		t.Errorf("who holds events: %+v", r.Appending)
	}
	waits := make(map[string]postgres.LockState)
	for _, l := range r.Locks {
		if !l.Held && l.Application == "waiter" {
			waits[l.Lock] = l
		}
	}
	for _, lock := range []string{"stream", "new stream"} {
		if l := waits[lock]; l.PID == 0 || len(l.BlockedBy) != 1 || l.BlockedBy[0] != r.Appending[0].PID {
			t.Errorf("who waits for a %s: %+v", lock, r.Locks)
		}
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	if r, err = s.Doctor(t.Context()); err != nil || len(r.Appending) != 0 {
		t.Errorf("after the commit: %+v, %v", r.Appending, err)
	}
}

func TestTheDoctorNamesWhoHoldsTheHead(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	s := openOn(t, pool, postgres.Config{Schema: pgtest.Schema(t)})
	holder := pgtest.Pool(t, named("holder"))
	tx := begin(t, holder, "SELECT pg_advisory_xact_lock('"+postgres.SchemaOf(s)+".events'::regclass::oid::integer, 0)")
	ended := make(chan error, 1)
	go func() {
		_, err := s.Append(t.Context(), batch("a-1", store.NoStream, event("x", `{}`)))
		ended <- err
	}()
	waitFor(t, pool, "an append waits for over a second", "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = '"+postgres.SchemaOf(s)+".events'::regclass AND NOT granted AND clock_timestamp() - waitstart > '1.1 s')")
	r, err := s.Doctor(t.Context())
	if err != nil || len(r.Locks) < 2 || !r.Locks[0].Held || r.Locks[0].Lock != "head" || r.Locks[0].Application != "holder" {
		t.Errorf("%+v, %v", r.Locks, err)
	}
	if !found(r, "for the head, without which nobody can commit an append, behind pid ") || !found(r, "holder") {
		t.Errorf("%+v", r.Findings)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestTheDoctorSeesSnapshotsOfTheWholeCluster(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t, pgtest.Options{Settings: map[string]string{"wal_level": "logical"}})
	pool := server.Pool(t)
	s := openOn(t, pool, postgres.Config{})
	for _, sql := range []string{"CREATE DATABASE other", "SELECT pg_create_logical_replication_slot('forgotten', 'test_decoding')"} {
		if _, err := pool.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	other := server.Pool(t, named("report"), func(c *pgxpool.Config) { c.ConnConfig.Database = "postgres" })
	tx, err := other.BeginTx(t.Context(), pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.Background()) }()
	if _, err := tx.Exec(t.Context(), "SELECT 1"); err != nil {
		t.Fatal(err)
	}
	prepared := begin(t, pool, "CREATE TABLE theirs (id integer)")
	if _, err := prepared.Exec(t.Context(), "PREPARE TRANSACTION 'forgotten too'"); err != nil {
		t.Fatal(err)
	}
	r, err := s.Doctor(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	kinds := make(map[string]string)
	for _, v := range r.Snapshots {
		kinds[v.Kind] = v.Application
	}
	if kinds["session"] != "report" || kinds["replication slot"] != "forgotten" || kinds["prepared transaction"] != "forgotten too" {
		t.Errorf("%+v", r.Snapshots)
	}
}

func TestTheDoctorSaysWhatIsBroken(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	missing, err := postgres.New(pool, postgres.Config{Schema: pgtest.Schema(t)})
	if err != nil {
		t.Fatal(err)
	}
	if r, err := missing.Doctor(t.Context()); err != nil || !found(r, "holds no store") || r.Findings[0].Severity != postgres.Broken {
		t.Errorf("without a schema: %+v, %v", r.Findings, err)
	}
	if err := missing.Check(t.Context()); !errors.Is(err, store.ErrNotMigrated) {
		t.Errorf("without a schema: %v", err)
	}

	s := openOn(t, pool, postgres.Config{Schema: pgtest.Schema(t)})
	if _, err := pool.Exec(t.Context(), "DELETE FROM "+postgres.SchemaOf(s)+".migrations WHERE number > 15"); err != nil {
		t.Fatal(err)
	}
	if r, err := s.Doctor(t.Context()); err != nil || !found(r, "the schema is at migration 15 of ") || len(r.Migrations.Pending) != len(postgres.Migrations())-15 {
		t.Errorf("half migrated: %+v, %v", r.Findings, err)
	}
	if err := s.Check(t.Context()); !errors.Is(err, store.ErrNotMigrated) {
		t.Errorf("half migrated: %v", err)
	}

	// The servers of tests need not survive a power loss.
	if r, err := s.Doctor(t.Context()); err != nil || !found(r, "fsync is off") {
		t.Errorf("%+v, %v", r.Findings, err)
	}
	readOnly, err := postgres.New(pgtest.Pool(t, onConnect("SET default_transaction_read_only = on; SET synchronous_commit = off")), postgres.Config{Schema: postgres.SchemaOf(s)})
	if err != nil {
		t.Fatal(err)
	}
	if r, err := readOnly.Doctor(t.Context()); err != nil || !r.Server.ReadOnly || !found(r, "is read-only") || !found(r, "synchronous_commit is off") {
		t.Errorf("read-only: %+v, %v", r.Findings, err)
	}
	if _, err := pool.Exec(t.Context(), "INSERT INTO "+postgres.SchemaOf(s)+".migrations SELECT n, 'x' FROM generate_series(16, $1::integer) n", len(postgres.Migrations())); err != nil {
		t.Fatal(err)
	}
	if err := readOnly.Check(t.Context()); !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "read-only") {
		t.Errorf("read-only: %v", err)
	}
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestTheDoctorOfAServerThatIsAway(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t, pgtest.Options{})
	s := openOn(t, server.Pool(t), postgres.Config{})
	server.Stop(pgtest.Fast)
	_, err := s.Doctor(t.Context())
	for _, err := range []error{err, s.Check(t.Context())} {
		if !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("got %v", err)
		}
	}
}

// TestTheDoctorNamesLanesThatNobodyTakesOver, with their owners.
func TestTheDoctorNamesLanesThatNobodyTakesOver(t *testing.T) {
	t.Parallel()
	s := open(t)
	m := newMember()
	m.Label, m.Lease = "host 17 bank", time.Millisecond
	hold, _ := take(t, s, m)
	if err := s.Subscriptions().Report(t.Context(), hold, "no such type"); err != nil {
		t.Fatal(err)
	}
	run(t, pgtest.Pool(t), "UPDATE "+postgres.SchemaOf(s)+".members SET expires = expires - interval '1 minute'")
	r, err := s.Doctor(t.Context())
	if err != nil || len(r.Lanes) != 1 {
		t.Fatalf("lanes are %+v, %v, want one", r.Lanes, err)
	}
	if l := r.Lanes[0]; l.Subscription != "s" || l.Owner != m.ID || l.Label != m.Label || !l.Ended || l.Since < 60 || l.Error != "no such type" {
		t.Errorf("the lane is %+v", l)
	}
	if !slices.ContainsFunc(r.Findings, func(f postgres.Finding) bool {
		return strings.Contains(f.What, "lane 0 of subscription s") && strings.Contains(f.What, m.ID.String()) && strings.Contains(f.What, m.Label)
	}) {
		t.Errorf("findings: %+v", r.Findings)
	}
	m.Lease = time.Hour
	take(t, s, m)
	run(t, pgtest.Pool(t), "UPDATE "+postgres.SchemaOf(s)+".lanes SET error = 'sick', error_since = now() - interval '1 minute'")
	if r, err = s.Doctor(t.Context()); err != nil || len(r.Lanes) != 1 || r.Lanes[0].Ended || r.Lanes[0].Since < 60 {
		t.Errorf("lanes are %+v, %v", r.Lanes, err)
	}
	if !slices.ContainsFunc(r.Findings, func(f postgres.Finding) bool {
		return f.Severity == postgres.Harmful && strings.Contains(f.What, "cannot go on") && strings.Contains(f.What, "sick")
	}) {
		t.Errorf("findings: %+v", r.Findings)
	}
}
