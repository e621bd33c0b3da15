package torture_test

import (
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/sqlite"
	"github.com/esgen/esgen/runtime/store/storetest/history"
)

// workOnFile does a worker's part in a file of SQLite.
func (j job) workOnFile(ctx context.Context) error {
	s, err := sqlite.Open(j.File, sqlite.Config{Format: j.Format, HardDeletes: true})
	if err != nil {
		return err
	}
	consumed := make(chan error, 1)
	go func() { consumed <- j.consume(ctx, s) }()
	err = errors.Join(history.Run(ctx, history.Config{
		Delete: func(ctx context.Context, stream string) error { return s.Delete(ctx, stream, store.Any, store.Hard) },
		Store:  s, Dir: j.Dir, Name: j.Name, Seed: j.Seed, Writers: j.Writers, Timeout: j.Timeout, Pause: j.Pause,
	}), <-consumed)
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	return errors.Join(err, s.Close(closing))
}

// TestTortureOfAFile lets processes append to one file and handle what is in it, and
// kills and stops them: also with the write lock, and in their transactions.
func TestTortureOfAFile(t *testing.T) {
	t.Parallel()
	d, seed := torturing(t, 10*time.Second)
	random := rand.New(rand.NewPCG(seed, 0))
	dir := logs(t)
	file := filepath.Join(t.TempDir(), "events.db")
	s, err := sqlite.Open(file, sqlite.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	raw, err := sql.Open("sqlite", file+"?_busy_timeout=10000")
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	if _, err := raw.ExecContext(t.Context(), "CREATE TABLE effects (id BLOB PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID"); err != nil {
		t.Fatal(err)
	}
	crew := &crew{t: t, job: job{
		File: file, Dir: dir, Seed: random.Uint64(), Writers: 2, Consume: true, Timeout: 3 * time.Second, Pause: 20 * time.Millisecond,
	}}
	for range 3 {
		crew.start()
	}
	ctx, cancel := context.WithTimeout(t.Context(), min(d, roundTime))
	defer cancel()
	o := &trouble{t: t, random: random, crew: crew, dir: dir, counted: make(map[string]int)}
	for wait(ctx, time.Second); ctx.Err() == nil; wait(ctx, time.Duration(random.IntN(1500))*time.Millisecond) {
		if random.IntN(4) == 0 {
			o.stop()
			continue
		}
		o.note("worker killed", func() {
			crew.kill(random.IntN(len(crew.running)))
			crew.start()
		})
	}
	wait(t.Context(), quiet)
	enough(t, s)
	crew.dismiss(time.Minute)
	t.Logf("%v", o.counted)
	drain(t, s, crew.job, plain, exactly)
	if err := history.Finish(t.Context(), dir, s); err != nil {
		t.Fatal(err)
	}
	if err := history.Effects(dir, exactly, effectsOf(t, raw)); err != nil {
		t.Fatal(err)
	}
	verify(t, dir, history.Options{Subscriptions: []history.Subscription{
		{Name: plain, Late: late, Lane: laneOf(plainLanes)}, {Name: exactly, Late: late, Lane: laneOf(exactlyLanes), Once: true},
	}})
}

// enough waits until something was done: on a busy machine the processes may have been
// killed before they did much.
func enough(t *testing.T, s store.Catalog) {
	t.Helper()
	const events = 2500
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for ; ctx.Err() == nil; wait(ctx, 100*time.Millisecond) {
		if last, err := s.LastPosition(ctx); err == nil && last >= events {
			return
		}
	}
}

func effectsOf(t *testing.T, db *sql.DB) map[uuid.UUID]int {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "SELECT id, n FROM effects")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	counts := make(map[uuid.UUID]int)
	for rows.Next() {
		var id []byte
		var n int
		if err := rows.Scan(&id, &n); err != nil {
			t.Fatal(err)
		}
		counts[uuid.UUID(id)] = n
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return counts
}
