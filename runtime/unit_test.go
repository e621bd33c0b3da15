package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/internal/bank"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
)

// Within a unit of work, streams read as if its appends were stored already: the
// model is a store on which they are.
func TestAUnitOfWorkReadsLikeAStoreThatHasItsAppends(t *testing.T) {
	t.Parallel()
	for range 60 {
		seed := rand.Uint64()
		random := rand.New(rand.NewPCG(seed, 0))
		real, model := memory.New(memory.Config{}), memory.New(memory.Config{})
		both := func(b store.Batch) {
			for _, db := range []store.Streams{real, model} {
				if _, err := db.Append(t.Context(), b); err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
			}
		}
		for range random.IntN(6) {
			both(batch(random, store.Any))
		}
		appended, err := es.Atomic(t.Context(), real, func(ctx context.Context, s store.Streams) error {
			for range 1 + random.IntN(12) {
				if random.IntN(3) == 0 {
					compareAppends(ctx, t, random, s, model)
				}
				for range 4 {
					compareReads(ctx, t, random, s, model)
				}
				if t.Failed() {
					return fmt.Errorf("seed %d", seed)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range appended {
			got, gotErr := collect(real.Read(t.Context(), store.Query{Stream: a.Stream}))
			want, wantErr := collect(model.Read(t.Context(), store.Query{Stream: a.Stream}))
			if diff := cmp.Diff(want, got, samePlace); diff != "" || gotErr != nil || wantErr != nil {
				t.Fatalf("seed %d: %s holds (-model +store):\n%s%v, %v", seed, a.Stream, diff, gotErr, wantErr)
			}
		}
	}
}

// samePlace ignores what a unit of work cannot know.
var samePlace = cmpopts.IgnoreFields(store.Recorded{}, "Position", "Time")

var unitStreams = []string{"bank-a", "bank-b", "bank-c"}

func batch(random *rand.Rand, expected store.Version) store.Batch {
	b := store.Batch{Stream: unitStreams[random.IntN(len(unitStreams))], Expected: expected}
	for range 1 + random.IntN(3) {
		b.Events = append(b.Events, store.Event{
			ID: uuid.Must(uuid.NewV7()), Type: []string{"x", "y"}[random.IntN(2)], Format: store.JSON,
			Data: fmt.Append(nil, random.IntN(1000)), Metadata: store.Metadata(`{"a":1}`),
		})
	}
	return b
}

// compareAppends appends the same to both, sometimes at a wrong version.
func compareAppends(ctx context.Context, t *testing.T, random *rand.Rand, unit, model store.Streams) {
	t.Helper()
	b := batch(random, 0)
	actual := store.NoStream
	for r, err := range model.Read(ctx, store.Query{Stream: b.Stream, Backward: true, Limit: 1}) {
		if err == nil {
			actual = r.Version
		}
	}
	b.Expected = []store.Version{store.Any, store.StreamExists, actual, actual}[random.IntN(4)]
	want, wantErr := model.Append(ctx, b)
	got, gotErr := unit.Append(ctx, b)
	for i := range want {
		want[i].First, want[i].Last = 0, 0
	}
	if diff := cmp.Diff(want, got); diff != "" || fmt.Sprint(gotErr) != fmt.Sprint(wantErr) {
		t.Errorf("append %v (-model +unit):\n%s%v, %v", b, diff, wantErr, gotErr)
	}
}

func compareReads(ctx context.Context, t *testing.T, random *rand.Rand, unit, model store.Streams) {
	t.Helper()
	q := store.Query{
		Stream:      unitStreams[random.IntN(len(unitStreams))],
		FromVersion: store.Version(random.IntN(12) - 1),
		Backward:    random.IntN(2) == 0,
		Limit:       random.IntN(5) - 1,
	}
	if random.IntN(4) == 0 {
		q.Types = []string{"y"}
	}
	want, wantErr := take(model.Read(ctx, q))
	got, gotErr := take(unit.Read(ctx, q))
	if diff := cmp.Diff(want, got, samePlace); diff != "" || fmt.Sprint(gotErr) != fmt.Sprint(wantErr) {
		t.Errorf("read %v, limit %d (-model +unit):\n%s%v, %v", q, q.Limit, diff, wantErr, gotErr)
	}
}

// take reads to the end and spoils what it was given, as a receiver may.
func take(events iter.Seq2[store.Recorded, error]) ([]store.Recorded, error) {
	all, err := collect(events)
	for i, r := range all {
		all[i].Data, all[i].Metadata = append([]byte(nil), r.Data...), append([]byte(nil), r.Metadata...)
		clear(r.Data)
		clear(r.Metadata)
	}
	return all, err
}

func TestAUnitOfWorkDoesNotShowWhatOthersAppendMeanwhile(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	db := memory.New(memory.Config{})
	stored(t)(bank.StreamOf(db, "a").Append(ctx, store.NoStream, deposits(1)...))
	runs := 0
	_, err := es.Atomic(ctx, db, func(ctx context.Context, s store.Streams) error {
		runs++
		acct := bank.StreamOf(s, "a")
		_, version, err := acct.Load(ctx)
		if err != nil {
			return err
		}
		if _, err := acct.Append(ctx, version, bank.MoneyDeposited{Amount: 10}); err != nil {
			return err
		}
		if runs == 1 {
			stored(t)(bank.StreamOf(db, "a").Append(ctx, 2, bank.MoneyDeposited{Amount: 100}, bank.MoneyDeposited{Amount: 100}))
		}
		state, at, err := acct.Load(ctx)
		if want := version + 1; at != want || err != nil || runs == 1 && state.Balance != 11 || runs == 2 && state.Balance != 211 {
			t.Errorf("run %d: %+v at %d, %v; want version %d", runs, state, at, err, want)
		}
		backward, err := collect(s.Read(ctx, store.Query{Stream: "bank-a", Backward: true}))
		if err != nil || len(backward) != int(at) || backward[0].Version != at || backward[at-1].Version != 1 {
			t.Errorf("run %d: backward %d events, %v; want %d", runs, len(backward), err, at)
		}
		return nil
	})
	if err != nil || runs != 2 {
		t.Errorf("%v after %d runs", err, runs)
	}
}

func TestAUnitOfWorkKeepsNothingOfTheCallers(t *testing.T) {
	t.Parallel()
	db := memory.New(memory.Config{})
	_, err := es.Atomic(t.Context(), db, func(ctx context.Context, s store.Streams) error {
		data, metadata := []byte(`"data"`), []byte(`{"a":1}`)
		_, err := s.Append(ctx, store.Batch{Stream: "a-1", Events: []store.Event{{Type: "x", Format: store.JSON, Data: data, Metadata: metadata}}})
		clear(data)
		clear(metadata)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	all, err := collect(db.Read(t.Context(), store.Query{}))
	if err != nil || string(all[0].Data) != `"data"` || string(all[0].Metadata) != `{"a":1}` {
		t.Errorf("stored %+v, %v", all, err)
	}
}

func TestAUnitOfWorkPassesErrorsOfTheStoreOn(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	away := errors.New("away")
	m := memory.New(memory.Config{})
	stored(t)(bank.StreamOf(m, "a").Append(ctx, store.NoStream, deposits(1)...))
	db := wrapper{Store: m, read: func(context.Context, store.Query) iter.Seq2[store.Recorded, error] {
		return func(yield func(store.Recorded, error) bool) { yield(store.Recorded{}, away) }
	}}
	for name, work := range map[string]func(context.Context, store.Streams) error{
		"read": func(ctx context.Context, s store.Streams) error {
			_, err := collect(s.Read(ctx, store.Query{Stream: "bank-a"}))
			return err
		},
		"append to any version": appending("a", bank.MoneyDeposited{}),
		"read behind an append": func(ctx context.Context, s store.Streams) error {
			stored(t)(bank.StreamOf(s, "a").Append(ctx, 2, bank.MoneyDeposited{}))
			_, err := collect(s.Read(ctx, store.Query{Stream: "bank-a"}))
			return err
		},
		"bad query": func(ctx context.Context, s store.Streams) error {
			_, err := collect(s.Read(ctx, store.Query{Stream: "bank-a", FromVersion: -1}))
			if !errors.Is(err, store.ErrInvalid) {
				t.Errorf("bad query: %v", err)
			}
			return away
		},
		"bad append": func(ctx context.Context, s store.Streams) error {
			_, err := s.Append(ctx, store.Batch{Stream: "$x", Events: []store.Event{{Type: "x", Format: "x", Time: time.Now()}}})
			if !errors.Is(err, store.ErrInvalid) {
				t.Errorf("bad append: %v", err)
			}
			return away
		},
	} {
		if _, err := es.Atomic(ctx, db, work); !errors.Is(err, away) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAUnitOfWorkThatExpectsWhatIsNotThereConflicts(t *testing.T) {
	t.Parallel()
	db := memory.New(memory.Config{})
	_, err := es.Atomic(t.Context(), db, func(ctx context.Context, s store.Streams) error {
		stored(t)(bank.StreamOf(s, "a").Append(ctx, 5, bank.MoneyDeposited{Amount: 1}))
		if state, version, err := bank.StreamOf(s, "a").Load(ctx); state.Balance != 1 || version != 6 || err != nil {
			t.Errorf("load: %+v at %d, %v", state, version, err)
		}
		return nil
	}, es.Retries(0))
	if e, ok := errors.AsType[*store.ConflictError](err); !ok || e.Expected != 5 || e.Actual != 0 {
		t.Errorf("%v", err)
	}
	_, err = es.Atomic(t.Context(), db, func(ctx context.Context, s store.Streams) error {
		_, err := bank.StreamOf(s, "a").Append(ctx, store.StreamExists, bank.MoneyDeposited{})
		return err
	})
	if !errors.Is(err, store.ErrStreamNotFound) || !errors.Is(err, store.ErrConflict) {
		t.Errorf("a stream that must exist: %v", err)
	}
}
