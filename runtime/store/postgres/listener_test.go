package postgres_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/esgen/esgen/internal/pgtest"
	"github.com/esgen/esgen/internal/pgtest/pgproxy"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/postgres"
)

func newListener(t testing.TB, pool *pgxpool.Pool) *postgres.Listener {
	t.Helper()
	l, err := postgres.NewListener(pool)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// openWith returns another store in the schema of s.
func openWith(t testing.TB, s *postgres.Store, pool *pgxpool.Pool, l *postgres.Listener) *postgres.Store {
	t.Helper()
	other, err := postgres.New(pool, postgres.Config{Schema: postgres.SchemaOf(s), Listener: l})
	if err != nil {
		t.Fatal(err)
	}
	return other
}

// rings returns once the bell has rung.
func rings(t testing.TB, bell <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-bell:
	case <-time.After(20 * time.Second):
		t.Fatalf("the bell did not ring in 20 s: %s", what)
	}
}

// connected returns what the doctor says of the listener once it is so.
func connected(t testing.TB, s *postgres.Store, want bool) *postgres.ListenerState {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(20 * time.Second); ; <-tick.C {
		r, err := s.Doctor(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if l := r.Listener; l != nil && l.Connected == want && (want || l.Error != "") {
			if want != (l.Since != nil) || found(r, "the listener has no connection") == want {
				t.Errorf("%+v, findings %+v", l, r.Findings)
			}
			return l
		}
		if time.Now().After(deadline) {
			t.Fatalf("after 20 s the listener is %+v", r.Listener)
		}
	}
}

// heardBy appends to from until hearer is rung by it: what rings first may be the
// connection itself.
func heardBy(t testing.TB, from, hearer *postgres.Store) {
	t.Helper()
	before := connected(t, hearer, true).Heard
	if _, err := from.Append(t.Context(), batch("a-1", store.Any, event("x", `{}`))); err != nil {
		t.Fatal(err)
	}
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(20 * time.Second); ; <-tick.C {
		after := connected(t, hearer, true).Heard
		if after != nil && (before == nil || after.After(*before)) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the append was not heard in 20 s")
		}
	}
}

func count(n int, application string) string {
	return "SELECT count(*) = " + strconv.Itoa(n) + " FROM pg_stat_activity WHERE application_name = '" + application + "'"
}

func TestAppendsOfOthersAreHeard(t *testing.T) {
	t.Parallel()
	writer := open(t)
	reader := openWith(t, writer, pgtest.Pool(t), newListener(t, pgtest.Pool(t)))
	if r, err := reader.Doctor(t.Context()); err != nil || r.Listener != nil {
		t.Fatalf("nobody waits, and the listener is %+v, %v", r.Listener, err)
	}
	defer reader.Local().Attend()()
	connected(t, reader, true)
	for range 3 {
		bell := reader.Local().Wait()
		if _, err := writer.Append(t.Context(), batch("a-1", store.Any, event("x", `{}`))); err != nil {
			t.Fatal(err)
		}
		rings(t, bell, "another store has appended")
	}
	bell := reader.Local().Wait()
	writer.Wake()
	rings(t, bell, "somebody has committed")
}

// A store is woken by its own appends directly; what it notifies others of does not
// ring its bell again.
func TestOwnNotificationsRingNoBell(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	s := openWith(t, open(t), pool, newListener(t, pool))
	defer s.Local().Attend()()
	connected(t, s, true)
	if _, err := s.Append(t.Context(), batch("a-1", store.Any, event("x", `{}`))); err != nil {
		t.Fatal(err)
	}
	bell := s.Local().Wait()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(20 * time.Second); connected(t, s, true).Heard == nil; <-tick.C {
		if time.Now().After(deadline) {
			t.Fatal("the notification did not come in 20 s")
		}
	}
	select {
	case <-bell:
		t.Error("the bell rang for the store's own notification")
	default:
	}
}

// TestFiftyStoresShareAListener: one connection for all of them, none before somebody
// waits and none after.
func TestFiftyStoresShareAListener(t *testing.T) {
	t.Parallel()
	const name = "fifty stores"
	pool := pgtest.Pool(t)
	l := newListener(t, pgtest.Pool(t, named(name)))
	first := open(t)
	stores := make([]*postgres.Store, 50)
	leaves := make([]func(), 50)
	for i := range stores {
		stores[i] = openWith(t, first, pool, l)
		if i%2 == 1 {
			var err error
			// They need not be migrated to be notified of.
			if stores[i], err = postgres.New(pool, postgres.Config{Schema: "none_" + strconv.Itoa(i), Listener: l}); err != nil {
				t.Fatal(err)
			}
		}
	}
	waitFor(t, pool, "no connection before somebody waits", count(0, name))
	for i, s := range stores {
		leaves[i] = s.Local().Attend()
	}
	connected(t, stores[0], true)
	waitFor(t, pool, "one connection", count(1, name))
	for i, s := range stores {
		bell := s.Local().Wait()
		if _, err := pool.Exec(t.Context(), "SELECT pg_notify($1, 'somebody')", postgres.ChannelOf(postgres.SchemaOf(s))); err != nil {
			t.Fatal(err)
		}
		rings(t, bell, "store "+strconv.Itoa(i))
	}
	for i, leave := range leaves {
		if i != 7 {
			leave()
		}
	}
	bell := stores[7].Local().Wait()
	if _, err := pool.Exec(t.Context(), "SELECT pg_notify($1, 'somebody')", postgres.ChannelOf(postgres.SchemaOf(stores[7]))); err != nil {
		t.Fatal(err)
	}
	rings(t, bell, "the one that still listens")
	waitFor(t, pool, "still one connection", count(1, name))
	leaves[7]()
	waitFor(t, pool, "none after the last has left", count(0, name))
}

// A connection that breaks is made again, and everybody is woken then: what was
// notified meanwhile is lost, the events are not.
func TestListenerReconnects(t *testing.T) {
	t.Parallel()
	proxy, err := pgproxy.New(pgtest.URL(t), pgproxy.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = proxy.Close() })
	writer := open(t)
	reader := openWith(t, writer, pgtest.Pool(t), newListener(t, throughProxy(t, proxy)))
	defer reader.Local().Attend()()
	connected(t, reader, true)
	for range 3 {
		if err := proxy.Down(); err != nil {
			t.Fatal(err)
		}
		proxy.Cut()
		connected(t, reader, false)
		if _, err := writer.Append(t.Context(), batch("a-1", store.Any, event("x", `{}`))); err != nil {
			t.Fatal(err)
		}
		bell := reader.Local().Wait()
		if err := proxy.Up(); err != nil {
			t.Fatal(err)
		}
		rings(t, bell, "it has connected again")
		heardBy(t, writer, reader)
	}
}

// A connection on which nothing comes through any more looks like one on which
// nobody notifies. It is found out, and made again.
func TestListenerInABlackHoleIsFoundOut(t *testing.T) {
	t.Parallel()
	proxy, err := pgproxy.New(pgtest.URL(t), pgproxy.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = proxy.Close() })
	writer := open(t)
	l := newListener(t, throughProxy(t, proxy))
	postgres.Alive(l, 50*time.Millisecond, 200*time.Millisecond)
	reader := openWith(t, writer, pgtest.Pool(t), l)
	defer reader.Local().Attend()()
	connected(t, reader, true)
	proxy.Hole(pgproxy.Both)
	if state := connected(t, reader, false); state.Error == "" {
		t.Errorf("%+v", state)
	}
	bell := reader.Local().Wait()
	proxy.Heal()
	rings(t, bell, "it has connected again")
	heardBy(t, writer, reader)
}

func throughProxy(t testing.TB, proxy *pgproxy.Proxy) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), proxy.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// Behind PgBouncer in transaction mode notifying works; hearing wants a direct
// connection, and without one there is none.
func TestListenerBesidePgBouncer(t *testing.T) {
	t.Parallel()
	bouncer := pgtest.StartBouncer(t, pgtest.URL(t), nil)
	pool := pgtest.Pool(t, bouncer.Through, mode(pgx.QueryExecModeExec))
	writer := openOn(t, pool, postgres.Config{Schema: pgtest.Schema(t)})
	reader := openWith(t, writer, pool, newListener(t, pgtest.Pool(t)))
	defer reader.Local().Attend()()
	defer writer.Local().Attend()()
	heardBy(t, writer, reader)
	if r, err := writer.Doctor(t.Context()); err != nil || r.Listener != nil {
		t.Errorf("%+v, %v", r.Listener, err)
	}
}

// After Close a store listens no longer, whoever still waits.
func TestCloseEndsListening(t *testing.T) {
	t.Parallel()
	const name = "closing store"
	first := open(t)
	pool := pgtest.Pool(t)
	s := openWith(t, first, pool, newListener(t, pgtest.Pool(t, named(name))))
	defer s.Local().Attend()()
	waitFor(t, pool, "it listens", count(1, name))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := s.Close(ctx); err != nil {
		t.Fatal(err)
	}
	waitFor(t, pool, "it listens no longer", count(0, name))
	s.Local().Attend()()
	if r, err := s.Doctor(ctx); err != nil || r.Listener != nil {
		t.Errorf("%+v, %v", r.Listener, err)
	}
}
