package pgproxy_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"regexp"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/esgen/esgen/internal/pgtest"
	"github.com/esgen/esgen/internal/pgtest/pgproxy"
)

func TestWhatIsHeldGoesOnWhenReleased(t *testing.T) {
	t.Parallel()
	for _, do := range []pgproxy.Action{pgproxy.Hold, pgproxy.Hole} {
		for _, at := range []pgproxy.Point{pgproxy.Request, pgproxy.MidRequest, pgproxy.Sent, pgproxy.Answer, pgproxy.MidAnswer, pgproxy.Complete} {
			r := newRig(t, pgproxy.Options{})
			c := connect(t, r.proxy.URL())
			if err := r.insert(t.Context(), c, 1); err != nil {
				t.Fatal(err)
			}
			trap := r.proxy.Arm(pgproxy.Fault{At: at, Do: do, SQL: insertion})
			done := make(chan error, 1)
			go func() { done <- r.insert(t.Context(), c, 2) }()
			await(t, "the point is reached", trap.Hit())
			if at >= pgproxy.Sent {
				eventually(t, "the server stores what it got", func() bool { return len(r.stored()) == 2 })
			} else if len(r.stored()) != 1 {
				t.Errorf("%v: stored before it was sent", at)
			}
			select {
			case err := <-done:
				t.Fatalf("%v: answered although held: %v", at, err)
			default:
			}
			trap.Release()
			if err := <-done; err != nil || len(r.stored()) != 2 {
				t.Errorf("%v: released, %v", at, err)
			}
		}
	}
}

func TestDelayTakesItsTime(t *testing.T) {
	t.Parallel()
	r := newRig(t, pgproxy.Options{})
	c := connect(t, r.proxy.URL())
	r.proxy.Arm(pgproxy.Fault{At: pgproxy.Answer, Do: pgproxy.Delay, Delay: 100 * time.Millisecond, SQL: insertion, Times: -1})
	begin := time.Now()
	for i := range 3 {
		if err := r.insert(t.Context(), c, i); err != nil {
			t.Fatal(err)
		}
	}
	if took := time.Since(begin); took < 300*time.Millisecond || r.proxy.Counts().Delays != 3 {
		t.Errorf("three delays of 100ms took %s; counted %+v", took, r.proxy.Counts())
	}
}

// TestAHoleHidesThatTheClientHasGone is what distinguishes it from a cut: the
// server goes on believing in the session, with all its locks.
func TestAHoleHidesThatTheClientHasGone(t *testing.T) {
	t.Parallel()
	r := newRig(t, pgproxy.Options{})
	c := connect(t, r.proxy.URL())
	pid := c.PgConn().PID()
	if _, err := c.Exec(t.Context(), "BEGIN; LOCK TABLE "+r.table, pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatal(err)
	}
	trap := r.proxy.Arm(pgproxy.Fault{At: pgproxy.Sent, Do: pgproxy.Hole, SQL: regexp.MustCompile("SELECT 1")})
	done := make(chan error, 1)
	go func() {
		_, err := c.Exec(t.Context(), "SELECT 1")
		done <- err
	}()
	await(t, "the request is sent", trap.Hit())
	if err := c.PgConn().Conn().Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err == nil {
		t.Fatal("answered from a hole")
	}
	sessions := func() (n int) {
		if err := r.direct.QueryRow(t.Context(), "SELECT count(*) FROM pg_locks WHERE pid = $1 AND mode = 'AccessExclusiveLock'", pid).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if sessions() != 1 {
		t.Error("the server has given up the session's lock")
	}
	r.proxy.Heal()
	eventually(t, "the server learns that the client has gone", func() bool { return sessions() == 0 })
}

func TestTheWholeNetworkIsAHole(t *testing.T) {
	t.Parallel()
	r := newRig(t, pgproxy.Options{})
	c := connect(t, r.proxy.URL())
	r.proxy.Hole(pgproxy.ToServer)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := dial(ctx, t, r.proxy.URL()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a new connection: %v", err)
	}
	done := make(chan error, 1)
	go func() { done <- r.insert(t.Context(), c, 1) }()
	select {
	case err := <-done:
		t.Errorf("answered from a hole: %v", err)
	case <-ctx.Done():
	}
	if len(r.stored()) != 0 {
		t.Error("a request went through a hole")
	}
	r.proxy.Heal()
	if err := <-done; err != nil || len(r.stored()) != 1 {
		t.Errorf("healed: %v", err)
	}
	connect(t, r.proxy.URL())
}

func TestDownRefusesAndUpAccepts(t *testing.T) {
	t.Parallel()
	for _, tcp := range []bool{false, true} {
		r := newRig(t, pgproxy.Options{TCP: tcp})
		c := connect(t, r.proxy.URL())
		if err := r.proxy.Down(); err != nil {
			t.Fatal(err)
		}
		if _, err := dial(t.Context(), t, r.proxy.URL()); err == nil {
			t.Error("a proxy that is down accepts")
		}
		if err := r.insert(t.Context(), c, 1); err != nil {
			t.Errorf("an open connection: %v", err)
		}
		r.proxy.Cut()
		if err := r.insert(t.Context(), c, 2); err == nil {
			t.Error("a connection that was cut answers")
		}
		if err := r.proxy.Up(); err != nil {
			t.Fatal(err)
		}
		if err := r.insert(t.Context(), connect(t, r.proxy.URL()), 3); err != nil {
			t.Errorf("up again: %v", err)
		}
	}
}

func TestAConnectionIsCutBeforeTheServerHearsOfIt(t *testing.T) {
	t.Parallel()
	r := newRig(t, pgproxy.Options{})
	r.proxy.Arm(pgproxy.Fault{At: pgproxy.Connect})
	if _, err := dial(t.Context(), t, r.proxy.URL()); err == nil {
		t.Error("the connection was not cut")
	}
	connect(t, r.proxy.URL())
}

func TestARequestToCancelIsCut(t *testing.T) {
	t.Parallel()
	r := newRig(t, pgproxy.Options{})
	sleep := func(c *pgx.Conn) {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if _, err := c.Exec(ctx, "SELECT pg_sleep(1000)"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	}
	sleeps := func(c *pgx.Conn) (yes bool) {
		if err := r.direct.QueryRow(t.Context(), "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1 AND state = 'active')", c.PgConn().PID()).Scan(&yes); err != nil {
			t.Fatal(err)
		}
		return yes
	}
	heard := connect(t, r.proxy.URL())
	sleep(heard)
	eventually(t, "the server cancels what it was asked to", func() bool { return !sleeps(heard) })
	if n := r.proxy.Counts(); n.Cancels != 1 {
		t.Errorf("counted %+v", n)
	}

	deaf := connect(t, r.proxy.URL())
	trap := r.proxy.Arm(pgproxy.Fault{At: pgproxy.Cancel})
	sleep(deaf)
	await(t, "the request to cancel is cut", trap.Hit())
	if n := r.proxy.Counts(); n.Cancels != 1 || !sleeps(deaf) {
		t.Errorf("the server got the request that was cut; counted %+v", n)
	}
	if _, err := r.direct.Exec(t.Context(), "SELECT pg_terminate_backend($1)", deaf.PgConn().PID()); err != nil {
		t.Fatal(err)
	}
}

// TestTheSameSeedThrowsTheSameDice compares what two proxies do to one connection
// each, with delays, which leave it open.
func TestTheSameSeedThrowsTheSameDice(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	run := func(seed uint64) (hit []bool) {
		r := newRig(t, pgproxy.Options{Seed: seed})
		trap := r.proxy.Arm(pgproxy.Fault{At: pgproxy.Request, Do: pgproxy.Delay, SQL: insertion, Times: -1, Chance: 0.5})
		c := connect(t, r.proxy.URL())
		for i := range 64 {
			before := trap.Hits()
			if err := r.insert(t.Context(), c, i); err != nil {
				t.Fatal(err)
			}
			hit = append(hit, trap.Hits() > before)
		}
		return hit
	}
	same := func(a, b []bool) bool {
		for i := range a {
			if a[i] != b[i] {
				return false
			}
		}
		return true
	}
	first := run(seed)
	if !same(first, run(seed)) {
		t.Error("the same seed did something else")
	}
	if same(first, run(seed+1)) {
		t.Error("another seed did the same")
	}
}

func TestSkipTimesAndDisarm(t *testing.T) {
	t.Parallel()
	r := newRig(t, pgproxy.Options{})
	c := connect(t, r.proxy.URL())
	counted := r.proxy.Arm(pgproxy.Fault{At: pgproxy.Request, Do: pgproxy.Delay, SQL: insertion, Skip: 2, Times: 3})
	endless := r.proxy.Arm(pgproxy.Fault{At: pgproxy.Answer, Do: pgproxy.Delay, SQL: insertion, Times: -1})
	for i := range 7 {
		if err := r.insert(t.Context(), c, i); err != nil {
			t.Fatal(err)
		}
	}
	// What the first takes is not left for the second.
	if counted.Hits() != 3 || endless.Hits() != 4 {
		t.Errorf("%d and %d hits", counted.Hits(), endless.Hits())
	}
	endless.Disarm()
	if err := r.insert(t.Context(), c, 7); err != nil || endless.Hits() != 4 {
		t.Errorf("%d hits after it was disarmed, %v", endless.Hits(), err)
	}
}

// TestTheServerIsAwayAndComesBack has the proxy outlive the server.
func TestTheServerIsAwayAndComesBack(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t, pgtest.Options{})
	r := newRigOn(t, server.URL(), "s", pgproxy.Options{})
	c := connect(t, r.proxy.URL())
	server.Stop(pgtest.Fast)
	if err := r.insert(t.Context(), c, 1); err == nil {
		t.Error("a server that has gone answers")
	}
	if _, err := dial(t.Context(), t, r.proxy.URL()); err == nil || r.proxy.Counts().Unreachable == 0 {
		t.Errorf("connected to a server that has gone: %v; counted %+v", err, r.proxy.Counts())
	}
	server.Restart()
	if err := r.insert(t.Context(), connect(t, r.proxy.URL()), 2); err != nil {
		t.Error(err)
	}
}

// TestCloseReleasesEverything is watched by goleak.
func TestCloseReleasesEverything(t *testing.T) {
	t.Parallel()
	for _, do := range []pgproxy.Action{pgproxy.Hold, pgproxy.Hole, pgproxy.Delay} {
		for at := pgproxy.Request; at <= pgproxy.Connect; at++ {
			r := newRig(t, pgproxy.Options{})
			trap := r.proxy.Arm(pgproxy.Fault{At: at, Do: do, Delay: time.Hour})
			done := make(chan error, 1)
			go func() {
				c, err := dial(context.Background(), t, r.proxy.URL(), mode(pgx.QueryExecModeSimpleProtocol))
				if err == nil {
					err = r.insert(context.Background(), c, 1)
				}
				done <- err
			}()
			await(t, "the point is reached", trap.Hit())
			if err := r.proxy.Close(); err != nil {
				t.Error(err)
			}
			if err := <-done; err == nil {
				t.Errorf("%v: no error", at)
			}
		}
	}
}
