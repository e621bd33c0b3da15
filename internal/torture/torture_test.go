package torture_test

import (
	"context"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/esgen/esgen/internal/pgtest"
	"github.com/esgen/esgen/internal/pgtest/pgproxy"
	"github.com/esgen/esgen/runtime/store/postgres"
	"github.com/esgen/esgen/runtime/store/storetest/history"
)

const (
	forVariable  = "ESGEN_TORTURE_FOR"
	seedVariable = "ESGEN_SEED"
)

// roundTime bounds a round, so that its history can be checked in moderate memory.
const roundTime = 30 * time.Second

func torturing(t *testing.T, otherwise time.Duration) (d time.Duration, seed uint64) {
	t.Helper()
	d, seed = otherwise, rand.Uint64()
	if testing.Short() {
		d = 8 * time.Second
	}
	var err error
	if text := os.Getenv(forVariable); text != "" {
		if d, err = time.ParseDuration(text); err != nil {
			t.Fatalf("%s: %v", forVariable, err)
		}
	}
	if text := os.Getenv(seedVariable); text != "" {
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("%s: %v", seedVariable, err)
		}
	}
	t.Logf("for %s, seed %d; repeat with %s=%d", d, seed, seedVariable, seed)
	return d, seed
}

// logs returns a directory that stays if t fails.
func logs(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "esgen-torture-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the logs stay in %s", dir)
		} else if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// TestTorture is the proof. Its rounds share a server, which survives being killed.
func TestTorture(t *testing.T) {
	t.Parallel()
	d, seed := torturing(t, time.Minute)
	server := pgtest.Start(t, pgtest.Options{Settings: map[string]string{"deadlock_timeout": "200ms"}})
	for round, end := 1, time.Now().Add(d); time.Until(end) > time.Second && !t.Failed(); round++ {
		r := round
		t.Run(strconv.Itoa(r), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, uint64(r)))
			tortureRound(t, server, random, min(roundTime, time.Until(end)), "round"+strconv.Itoa(r))
		})
	}
}

func tortureRound(t *testing.T, server *pgtest.Server, random *rand.Rand, d time.Duration, schema string) {
	t.Helper()
	dir := logs(t)
	s := migrated(t, server, schema)
	proxy, err := pgproxy.New(server.URL(), pgproxy.Options{Seed: random.Uint64()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := proxy.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := server.Pool(t).Exec(t.Context(), effectsTable(schema)); err != nil {
		t.Fatal(err)
	}
	crew := &crew{t: t, urls: []string{proxy.URL(), proxy.URL(), server.URL()}, job: job{
		Schema: schema, Dir: dir, Seed: random.Uint64(), Writers: 4, Consume: true,
		Hold: 3 * time.Second, Timeout: 3 * time.Second, Pause: 10 * time.Millisecond,
	}}
	for range 3 {
		crew.start()
	}
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	end, _ := ctx.Deadline()
	o := &trouble{t: t, random: random, server: server, proxy: proxy, crew: crew, dir: dir, counted: make(map[string]int)}
	said := time.Now()
	tempo := 200 << random.IntN(4)
	for wait(ctx, 500*time.Millisecond); ctx.Err() == nil; wait(ctx, time.Duration(random.IntN(tempo))*time.Millisecond) {
		o.happen()
		if time.Since(said) > 10*time.Second {
			said = time.Now()
			t.Logf("%s to go: %s", time.Until(end).Round(time.Second), o)
		}
	}
	proxy.Heal()
	wait(t.Context(), quiet)
	crew.dismiss(time.Minute)
	t.Logf("%s; the last worker ended %s later", o, time.Since(end).Round(time.Millisecond))

	drain(t, s, crew.job, plain, exactly)
	if err := history.Finish(t.Context(), dir, s); err != nil {
		t.Fatal(err)
	}
	effects(t, server, schema, dir)
	leftovers(t, server, schema)
	verify(t, dir, history.Options{Subscriptions: []history.Subscription{
		{Name: plain, Late: late, Lane: laneOf(plainLanes)},
		{Name: exactly, Late: late, Lane: laneOf(exactlyLanes), Once: true},
	}})
}

// verify fails t with what is wrong, or if there was too little to be wrong.
func verify(t *testing.T, dir string, o history.Options) {
	t.Helper()
	begin := time.Now()
	r, err := history.Check(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s, checked in %s", r, time.Since(begin).Round(time.Millisecond))
	if err := r.Err(); err != nil {
		t.Error(err)
	}
	if r.Stored < 100 || r.Why["conflict"] == 0 || r.Seen < r.Events || r.Links == 0 {
		t.Errorf("the workload was too tame to show anything: %s", r)
	}
}

func migrated(t *testing.T, server *pgtest.Server, schema string) *postgres.Store {
	t.Helper()
	s, err := postgres.New(server.Pool(t), postgres.Config{Schema: schema})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// leftovers looks for what no read shows: events that never got a position, appends
// that are still pending, streams whose version is not their last event's.
func leftovers(t *testing.T, server *pgtest.Server, schema string) {
	t.Helper()
	in := pgx.Identifier{schema}.Sanitize() + "."
	for what, sql := range map[string]string{
		"events without a position": `SELECT count(*) FROM ` + in + `events WHERE position IS NULL`,
		"streams whose version is not that of their last event or link": `SELECT count(*) FROM ` + in + `streams s
			WHERE s.version <> greatest((SELECT max(e.version) FROM ` + in + `events e WHERE e.stream_id = s.stream_id),
			                            (SELECT max(l.version) FROM ` + in + `links l WHERE l.stream_id = s.stream_id), 0)`,
		"appends that are still pending":  `SELECT count(*) FROM ` + in + `pending`,
		"streams that never had an event": `SELECT count(*) FROM ` + in + `streams WHERE version = 0`,
	} {
		var n int
		if err := server.Pool(t).QueryRow(t.Context(), sql).Scan(&n); err != nil {
			t.Errorf("%s: %v", what, err)
		} else if n > 0 {
			t.Errorf("%d %s", n, what)
		}
	}
}
