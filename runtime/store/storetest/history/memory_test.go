package history_test

import (
	"context"
	"iter"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
	"github.com/esgen/esgen/runtime/store/storetest/history"
)

func seed(t *testing.T) uint64 {
	t.Helper()
	n := rand.Uint64()
	if text := os.Getenv("ESGEN_SEED"); text != "" {
		var err error
		if n, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("seed %d; repeat with ESGEN_SEED=%d", n, n)
	return n
}

// prove runs the workload on s in this process and checks what came of it.
func prove(t *testing.T, s store.Store, configure func(*history.Config)) history.Report {
	t.Helper()
	c := history.Config{Store: s, Dir: t.TempDir(), Name: "p", Seed: seed(t), Writers: 8, Followers: 2, Latecomers: 2, Ops: 150}
	if configure != nil {
		configure(&c)
	}
	if err := history.Run(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if err := history.Finish(t.Context(), c.Dir, s); err != nil {
		t.Fatal(err)
	}
	r, err := history.Check(c.Dir, history.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(r)
	return r
}

func TestMemoryStoreIsSound(t *testing.T) {
	t.Parallel()
	s := memory.New(memory.Config{HardDeletes: true})
	r := prove(t, s, func(c *history.Config) {
		c.Delete = func(ctx context.Context, stream string) error { return s.Delete(ctx, stream, store.Any, store.Hard) }
	})
	if err := r.Err(); err != nil {
		t.Fatal(err)
	}
	// A workload that meets nothing shows nothing.
	if r.Stored < 200 || r.Why["conflict"] < 50 || r.Why["duplicate"] == 0 || r.Why["ended"] == 0 || r.Seen < r.Events {
		t.Errorf("the workload was too tame: %s", r)
	}
}

// broken is a memory store with a defect.
type broken struct {
	*memory.Store
	append func(context.Context, []store.Batch) ([]store.Appended, error)
	read   func(r store.Recorded) (_ store.Recorded, ok bool)
}

func (b *broken) Append(ctx context.Context, batches ...store.Batch) ([]store.Appended, error) {
	if b.append == nil {
		return b.Store.Append(ctx, batches...)
	}
	return b.append(ctx, batches)
}

func (b *broken) Read(ctx context.Context, q store.Query) iter.Seq2[store.Recorded, error] {
	return func(yield func(store.Recorded, error) bool) {
		for r, err := range b.Store.Read(ctx, q) {
			if err == nil && b.read != nil {
				var ok bool
				if r, ok = b.read(r); !ok {
					continue
				}
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

// Each defect is found by the workload, by the rule that is about it.
func TestBrokenStoresAreFound(t *testing.T) {
	t.Parallel()
	// everyNth is true once in n calls.
	everyNth := func(n int) func() bool {
		var mu sync.Mutex
		calls := 0
		return func() bool {
			mu.Lock()
			defer mu.Unlock()
			calls++
			return calls%n == 0
		}
	}
	for name, c := range map[string]struct {
		rule    string
		breakIt func(b *broken)
	}{
		"forgets what it acknowledged": {"lost", func(b *broken) {
			now := everyNth(20)
			b.append = func(ctx context.Context, batches []store.Batch) ([]store.Appended, error) {
				if !now() || batches[0].Expected != store.Any {
					return b.Store.Append(ctx, batches...)
				}
				return []store.Appended{{Stream: batches[0].Stream, Version: store.Version(len(batches[0].Events)), First: 1, Last: 1}}, nil
			}
		}},
		"stores what it refused": {"ghost", func(b *broken) {
			now := everyNth(20)
			b.append = func(ctx context.Context, batches []store.Batch) ([]store.Appended, error) {
				appended, err := b.Store.Append(ctx, batches...)
				if err == nil && now() {
					return nil, &store.UnavailableError{Op: "append", Err: context.DeadlineExceeded}
				}
				return appended, err
			}
		}},
		"stores half of what nobody knows of": {"torn", func(b *broken) {
			now := everyNth(10)
			var mu sync.Mutex
			torn := make(map[uuid.UUID]bool)
			b.append = func(ctx context.Context, batches []store.Batch) ([]store.Appended, error) {
				first := batches[0].Events[0].ID
				mu.Lock()
				again := torn[first] // whoever asks again learns nothing, either
				tear := !again && len(batches[0].Events) >= 4 && now()
				torn[first] = again || tear
				mu.Unlock()
				if !again && !tear {
					return b.Store.Append(ctx, batches...)
				}
				if tear {
					half := slices.Clone(batches)
					half[0].Events = half[0].Events[:2]
					_, _ = b.Store.Append(ctx, half...)
				}
				return nil, &store.UnknownOutcomeError{Batches: batches, Err: context.DeadlineExceeded}
			}
		}},
		"checks versions before it locks": {"linear", func(b *broken) {
			b.append = func(ctx context.Context, batches []store.Batch) ([]store.Appended, error) {
				loose := slices.Clone(batches)
				for i := range loose {
					if actual := b.version(ctx, loose[i].Stream); !loose[i].Expected.Met(actual) {
						return nil, &store.ConflictError{Stream: loose[i].Stream, Expected: loose[i].Expected, Actual: actual}
					}
					loose[i].Expected = store.Any
				}
				<-time.After(time.Millisecond) // in which somebody else does the same
				return b.Store.Append(ctx, loose...)
			}
		}},
		"hides events for a while": {"skipped", func(b *broken) {
			var mu sync.Mutex
			hidden := make(map[uuid.UUID]int)
			b.read = func(r store.Recorded) (store.Recorded, bool) {
				mu.Lock()
				defer mu.Unlock()
				if r.Position%50 != 0 {
					return r, true
				}
				hidden[r.ID]++
				return r, hidden[r.ID] > 1
			}
		}},
		"gives positions anew at each read": {"changed", func(b *broken) {
			var mu sync.Mutex
			reads := 0
			b.read = func(r store.Recorded) (store.Recorded, bool) {
				mu.Lock()
				defer mu.Unlock()
				if reads++; r.Position == 60 && reads < 3000 {
					r.ID = uuid.UUID{1}
				}
				return r, true
			}
		}},
		"leaves holes": {"hole", func(b *broken) {
			b.read = func(r store.Recorded) (store.Recorded, bool) { return r, r.Position != 20 }
		}},
		"is behind": {"stale", func(b *broken) {
			begin := time.Now()
			b.read = func(r store.Recorded) (store.Recorded, bool) {
				return r, r.Position < 50 || time.Since(begin) > 300*time.Millisecond
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &broken{Store: memory.New(memory.Config{})}
			c.breakIt(b)
			if r := prove(t, b, func(c *history.Config) { c.Pause, c.Ops = 10*time.Millisecond, 80 }); !r.Broken(c.rule) {
				t.Errorf("want a breach of %q, got %v", c.rule, r.Err())
			}
		})
	}
}

func (b *broken) version(ctx context.Context, stream string) store.Version {
	info, err := b.StreamInfo(ctx, stream)
	if err != nil {
		return store.NoStream
	}
	return info.Version
}
