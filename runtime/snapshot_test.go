package runtime_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/internal/bank"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
	"github.com/esgen/esgen/runtime/typeregistry"
)

// balance is a state with snapshots. Applied counts what this process has folded.
type balance struct {
	Cents   int64
	Applied int `json:"-"`
}

func applyBalance(b *balance, e bank.Event) {
	b.Applied++
	switch e := e.(type) {
	case bank.MoneyDeposited:
		b.Cents += e.Amount
	case bank.MoneyWithdrawn:
		b.Cents -= e.Amount
	}
}

func snapshotFamily(revision int, shape string, every int) *es.Family[string, bank.Event] {
	return es.NewFamily[string, bank.Event]("bank", bank.Types, es.StringID[string]{}).
		Snapshots(typeregistry.Of(balance{}, "balance", revision), shape, every)
}

// told collects what becomes of snapshots.
type told []es.Snapshot

func (t *told) setting() es.Setting { return es.OnSnapshot(func(s es.Snapshot) { *t = append(*t, s) }) }

// want empties t and compares it.
func (t *told) want(tb testing.TB, want ...es.Snapshot) {
	tb.Helper()
	got := *t
	*t = nil
	if len(got) != len(want) {
		tb.Errorf("told of %+v, want %+v", got, want)
		return
	}
	for i := range got {
		if got[i] != want[i] {
			tb.Errorf("told of %+v, want %+v", got[i], want[i])
		}
	}
}

// loaded checks a load by the balance, the version, and how many events it folded.
func loaded(tb testing.TB, s es.Stream[string, bank.Event], cents int64, at store.Version, applied int) {
	tb.Helper()
	b, version, err := es.Load(tb.Context(), s, applyBalance)
	if b != (balance{cents, applied}) || version != at || err != nil {
		tb.Errorf("loaded %+v at %d: %v; want %d after %d events at %d", b, version, err, cents, applied, at)
	}
}

func TestLoadBeginsWithTheSnapshot(t *testing.T) {
	t.Parallel()
	onEveryStore(t, func(t *testing.T, db store.Store) {
		ctx := t.Context()
		var seen told
		acct := snapshotFamily(1, "a", 3).Stream(db, "a").With(seen.setting())
		loaded(t, acct, 0, 0, 0)
		stored(t)(acct.Append(ctx, store.NoStream, bank.AccountOpened{}, bank.MoneyDeposited{Amount: 5}))
		loaded(t, acct, 5, 2, 2)
		seen.want(t)
		stored(t)(acct.Append(ctx, 2, bank.MoneyDeposited{Amount: 7}))
		loaded(t, acct, 12, 3, 3)
		seen.want(t, es.Snapshot{Stream: "bank-a", Version: 3, Saved: true})
		loaded(t, acct, 12, 3, 0)
		seen.want(t, es.Snapshot{Stream: "bank-a", Version: 3})
		stored(t)(acct.Append(ctx, 3, bank.MoneyWithdrawn{Amount: 2}))
		loaded(t, acct, 10, 4, 1)
		seen.want(t, es.Snapshot{Stream: "bank-a", Version: 3})

		// The number of a call takes the place of the family's.
		loaded(t, acct.With(es.SnapshotEvery(1)), 10, 4, 1)
		seen.want(t, es.Snapshot{Stream: "bank-a", Version: 3}, es.Snapshot{Stream: "bank-a", Version: 4, Saved: true})
		loaded(t, acct.With(es.SnapshotEvery(0)), 10, 4, 4)
		seen.want(t)

		a, err := es.Execute(ctx, acct, applyBalance, func(b balance) ([]bank.Event, error) {
			if b != (balance{10, 0}) {
				t.Errorf("decided by %+v", b)
			}
			return []bank.Event{bank.MoneyWithdrawn{Amount: b.Cents}}, nil
		})
		if stored(t)(a, err).Version != 5 {
			t.Errorf("executed to %+v", a)
		}
	})
}

func TestAStaleSnapshotIsPassedOver(t *testing.T) {
	t.Parallel()
	ctx, db := t.Context(), memory.New(memory.Config{HardDeletes: true})
	var seen told
	setting := seen.setting()
	first := snapshotFamily(1, "a", 1).Stream(db, "a").With(setting)
	stored(t)(first.Append(ctx, store.NoStream, deposits(1, 2, 3)...))
	loaded(t, first, 6, 4, 4)
	seen.want(t, es.Snapshot{Stream: "bank-a", Version: 4, Saved: true})

	// Another shape, and another revision.
	loaded(t, snapshotFamily(1, "b", 100).Stream(db, "a").With(setting), 6, 4, 4)
	seen.want(t, es.Snapshot{Stream: "bank-a", Version: 4, Stale: "it is of another shape"})
	loaded(t, snapshotFamily(2, "a", 100).Stream(db, "a").With(setting), 6, 4, 4)
	seen.want(t, es.Snapshot{Stream: "bank-a", Version: 4, Stale: "it is of revision 1"})
	loaded(t, snapshotFamily(2, "a", 1).Stream(db, "a").With(setting), 6, 4, 4)
	seen.want(t, es.Snapshot{Stream: "bank-a", Version: 4, Stale: "it is of revision 1"}, es.Snapshot{Stream: "bank-a", Version: 4, Saved: true})
	loaded(t, first, 6, 4, 4)
	seen = nil

	// The user's own snapshots are not ours.
	foreign := store.Snapshot{Stream: "bank-a", Version: 4, Type: "balance", Format: store.JSON, Data: []byte(`{"Cents":666}`)}
	if err := db.SaveSnapshot(ctx, foreign); err != nil {
		t.Fatal(err)
	}
	loaded(t, first, 6, 4, 4)
	seen.want(t, es.Snapshot{Stream: "bank-a", Version: 4, Stale: "it was not stored by this package"}, es.Snapshot{Stream: "bank-a", Version: 4, Saved: true})

	// A stream that was deleted and begun anew, with the old snapshot left behind.
	old, err := db.LoadSnapshot(ctx, "bank-a")
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Delete(ctx, "bank-a", store.Any, store.Hard); err != nil {
		t.Fatal(err)
	}
	if err := db.SaveSnapshot(ctx, old); err != nil {
		t.Fatal(err)
	}
	gone := es.Snapshot{Stream: "bank-a", Version: 4, Stale: "the event that it ends with is not there"}
	loaded(t, first, 0, 0, 0)
	seen.want(t, gone)
	stored(t)(first.Append(ctx, store.NoStream, deposits(10)...))
	loaded(t, first.With(es.SnapshotEvery(100)), 10, 2, 2)
	seen.want(t, gone)
	stored(t)(first.Append(ctx, 2, deposits(10, 10, 10)...))
	loaded(t, first.With(es.SnapshotEvery(100)), 40, 6, 6)
	seen.want(t, gone)
}

func TestASnapshotWeakensNoCheck(t *testing.T) {
	t.Parallel()
	onEveryStore(t, func(t *testing.T, db store.Store) {
		ctx := t.Context()
		acct := snapshotFamily(1, "a", 1).Stream(db, "a")
		stored(t)(acct.Append(ctx, store.NoStream, deposits(1)...))
		loaded(t, acct, 1, 2, 2)
		loaded(t, acct, 1, 2, 0)
		attempts := 0
		_, err := es.Execute(ctx, acct, applyBalance, func(b balance) ([]bank.Event, error) {
			if attempts++; attempts == 1 {
				stored(t)(acct.Append(ctx, store.Any, bank.MoneyDeposited{Amount: 100}))
			}
			return []bank.Event{bank.MoneyWithdrawn{Amount: b.Cents}}, nil
		})
		if err != nil || attempts != 2 {
			t.Errorf("%d attempts: %v", attempts, err)
		}
		loaded(t, acct.With(es.SnapshotEvery(0)), 0, 4, 4)

		// A key whose events lie before the snapshot is found.
		keyed := acct.With(es.Key("once"))
		for _, duplicate := range []bool{false, true, true} {
			a, err := es.Execute(ctx, keyed, applyBalance, func(balance) ([]bank.Event, error) { return deposits(50), nil })
			if stored(t)(a, err).Duplicate != duplicate {
				t.Errorf("a duplicate: %+v", a)
			}
			_, _, _ = es.Load(ctx, acct, applyBalance)
		}
		// Of what a unit of work has not appended yet, no snapshot is stored.
		var seen told
		no := errors.New("no")
		_, err = es.Atomic(ctx, db, func(ctx context.Context, u store.Streams) error {
			s := snapshotFamily(1, "a", 1).Stream(u, "a").With(seen.setting())
			stored(t)(s.Append(ctx, 6, deposits(1000)...))
			b, version, err := es.Load(ctx, s, applyBalance)
			if b != (balance{1050, 2}) || version != 8 || err != nil {
				t.Errorf("inside: %+v at %d: %v", b, version, err)
			}
			return no
		})
		if !errors.Is(err, no) {
			t.Error(err)
		}
		seen.want(t, es.Snapshot{Stream: "bank-a", Version: 6})
		loaded(t, acct, 50, 6, 0)
	})
}

func TestNoSnapshotsWithoutAState(t *testing.T) {
	t.Parallel()
	acct := bank.StreamOf(memory.New(memory.Config{}), "a")
	_, _, err := acct.With(es.SnapshotEvery(5)).Load(t.Context())
	if !errors.Is(err, store.ErrInvalid) || !strings.Contains(err.Error(), "write //esgen:state snapshots=N") {
		t.Error(err)
	}
	if _, _, err := acct.With(es.SnapshotEvery(0)).Load(t.Context()); err != nil {
		t.Error(err)
	}
	if _, _, err := acct.With(es.SnapshotEvery(-1)).Load(t.Context()); !errors.Is(err, store.ErrInvalid) {
		t.Error(err)
	}
}

// forgetful fails to keep snapshots.
type forgetful struct {
	*memory.Store
	load, save error
}

func (f forgetful) LoadSnapshot(ctx context.Context, stream string) (store.Snapshot, error) {
	if f.load != nil {
		return store.Snapshot{}, f.load
	}
	return f.Store.LoadSnapshot(ctx, stream)
}

func (f forgetful) SaveSnapshot(context.Context, store.Snapshot) error { return f.save }

func TestErrorsOfSnapshotsFailNoCall(t *testing.T) {
	t.Parallel()
	away := errors.New("away")
	db := forgetful{Store: memory.New(memory.Config{}), load: away, save: away}
	var seen told
	acct := snapshotFamily(1, "a", 1).Stream(db, "a").With(seen.setting())
	stored(t)(acct.Append(t.Context(), store.NoStream, deposits(1)...))
	loaded(t, acct, 1, 2, 2)
	seen.want(t, es.Snapshot{Stream: "bank-a", Err: away}, es.Snapshot{Stream: "bank-a", Version: 2, Err: away})

	// One that cannot be decoded.
	db.load = nil
	good := snapshotFamily(1, "a", 1).Stream(db.Store, "a")
	loaded(t, good, 1, 2, 2)
	sn, err := db.LoadSnapshot(t.Context(), "bank-a")
	if err != nil {
		t.Fatal(err)
	}
	sn.Data = []byte(`{"Cents":"x"}`)
	if err := db.Store.SaveSnapshot(t.Context(), sn); err != nil {
		t.Fatal(err)
	}
	seen = nil
	loaded(t, good.With(seen.setting()), 1, 2, 2)
	if len(seen) != 2 || seen[0].Err == nil || !seen[1].Saved {
		t.Errorf("told of %+v", seen)
	}
}
