package storetest

import (
	"context"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
)

// broken is a memory store with one defect: whatever is set replaces the sound
// behaviour.
type broken struct {
	*memory.Store
	append        func(context.Context, []store.Batch) ([]store.Appended, error)
	read          func(context.Context, store.Query) iter.Seq2[store.Recorded, error]
	subscriptions func(store.Subscriptions) store.Subscriptions
	once          sync.Once
	kept          bool // a transaction stays open
	transact      func(context.Context, store.Move, func(context.Context, store.Streams) error) error
	save          func(context.Context, store.Snapshot) error
	info          func(store.StreamInfo) store.StreamInfo
	lastPosition  func(context.Context) (store.Position, error)
	list          func(context.Context, store.StreamQuery) iter.Seq2[store.StreamInfo, error]
	link          func(ctx context.Context, stream string, expected store.Version, ids []uuid.UUID) (store.Appended, error)
	remove        func(ctx context.Context, stream string, expected store.Version, how store.Removal) error
	restore       func(ctx context.Context, stream string) error
	truncate      func(ctx context.Context, stream string, before store.Version, how store.Removal) error
	local         *store.Local
	declares      store.Capabilities
}

func (b *broken) Append(ctx context.Context, batches ...store.Batch) ([]store.Appended, error) {
	if b.append == nil {
		return b.Store.Append(ctx, batches...)
	}
	return b.append(ctx, batches)
}

func (b *broken) Read(ctx context.Context, q store.Query) iter.Seq2[store.Recorded, error] {
	if b.read == nil {
		return b.Store.Read(ctx, q)
	}
	return b.read(ctx, q)
}

func (b *broken) Subscriptions() store.Subscriptions {
	sound := transactional{b.Store.Subscriptions()}
	if b.subscriptions == nil {
		return sound
	}
	return b.subscriptions(sound)
}

func (b *broken) SaveSnapshot(ctx context.Context, s store.Snapshot) error {
	if b.save == nil {
		return b.Store.SaveSnapshot(ctx, s)
	}
	return b.save(ctx, s)
}

func (b *broken) LastPosition(ctx context.Context) (store.Position, error) {
	if b.lastPosition != nil {
		return b.lastPosition(ctx)
	}
	return b.Store.LastPosition(ctx)
}

func (b *broken) StreamInfo(ctx context.Context, stream string) (store.StreamInfo, error) {
	info, err := b.Store.StreamInfo(ctx, stream)
	if b.info != nil {
		info = b.info(info)
	}
	return info, err
}

func (b *broken) Streams(ctx context.Context, q store.StreamQuery) iter.Seq2[store.StreamInfo, error] {
	if b.list == nil {
		return b.Store.Streams(ctx, q)
	}
	return b.list(ctx, q)
}

func (b *broken) Link(ctx context.Context, stream string, expected store.Version, ids ...uuid.UUID) (store.Appended, error) {
	if b.link == nil {
		return b.Store.Link(ctx, stream, expected, ids...)
	}
	return b.link(ctx, stream, expected, ids)
}

func (b *broken) Delete(ctx context.Context, stream string, expected store.Version, how store.Removal) error {
	if b.remove == nil {
		return b.Store.Delete(ctx, stream, expected, how)
	}
	return b.remove(ctx, stream, expected, how)
}

func (b *broken) Undelete(ctx context.Context, stream string) error {
	if b.restore == nil {
		return b.Store.Undelete(ctx, stream)
	}
	return b.restore(ctx, stream)
}

func (b *broken) Truncate(ctx context.Context, stream string, before store.Version, how store.Removal) error {
	if b.truncate == nil {
		return b.Store.Truncate(ctx, stream, before, how)
	}
	return b.truncate(ctx, stream, before, how)
}

func (b *broken) Local() *store.Local {
	if b.local == nil {
		return b.Store.Local()
	}
	return b.local
}

func (b *broken) Capabilities() store.Capabilities {
	return b.Store.Capabilities() | store.Transacts | b.declares
}

// Transact is what a memory store can make of it: good enough for cases in which
// nothing else happens.
func (b *broken) Transact(ctx context.Context, m store.Move, f func(context.Context, store.Streams) error) error {
	if b.transact == nil {
		return b.transacted(ctx, m, f)
	}
	return b.transact(ctx, m, f)
}

// changed reads through change, which returns false to leave an event out.
func (b *broken) changed(change func(q store.Query, r *store.Recorded) bool) {
	b.read = func(ctx context.Context, q store.Query) iter.Seq2[store.Recorded, error] {
		return func(yield func(store.Recorded, error) bool) {
			for r, err := range b.Store.Read(ctx, q) {
				if err == nil && !change(q, &r) {
					continue
				}
				if !yield(r, err) {
					return
				}
			}
		}
	}
}

// answered changes what a sound append answers.
func (b *broken) answered(change func([]store.Appended)) {
	b.append = func(ctx context.Context, batches []store.Batch) ([]store.Appended, error) {
		appended, err := b.Store.Append(ctx, batches...)
		if err == nil {
			change(appended)
		}
		return appended, err
	}
}

// given changes the batches before a sound append. They are a deep copy.
func (b *broken) given(change func([]store.Batch)) {
	b.append = func(ctx context.Context, batches []store.Batch) ([]store.Appended, error) {
		copied := slices.Clone(batches)
		for i := range copied {
			copied[i].Events = slices.Clone(copied[i].Events)
		}
		change(copied)
		return b.Store.Append(ctx, copied...)
	}
}

// defect is what a store may do wrong, and a case that must see it.
type defect struct {
	name  string
	case_ string
	spoil func(*broken)
}

func TestBrokenStoresAreCaught(t *testing.T) {
	t.Parallel()
	for _, d := range slices.Concat(defects, filterDefects, listingDefects, linkDefects, deleteDefects, truncateDefects, subscriptionDefects, transactorDefects) {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			d.isCaught(t)
		})
	}
}

// isCaught runs the case with a sound store, then with one that has the defect.
func (d defect) isCaught(t *testing.T) {
	t.Helper()
	c := caseNamed(t, d.case_)
	with := func(spoil func(*broken)) Setup {
		open := func(hard bool) store.Store {
			b := &broken{Store: memory.New(memory.Config{HardDeletes: hard})}
			spoil(b)
			return b
		}
		return Setup{
			Declares:               Memory | store.Transacts,
			Open:                   func(testing.TB) store.Store { return open(true) },
			OpenWithoutHardDeletes: func(testing.TB) store.Store { return open(false) },
		}
	}
	if said, failed := record(t, c, with(func(*broken) {})); failed {
		t.Fatalf("%q fails without the defect:\n%s", c.name, said)
	}
	said, failed := record(t, c, with(d.spoil))
	if !failed {
		t.Fatalf("%q passes with a store that %s", c.name, d.name)
	}
	t.Log(said)
}

// TestVolatileStoreIsNotDurable reopens a store that has lost everything.
func TestVolatileStoreIsNotDurable(t *testing.T) {
	t.Parallel()
	setup := Setup{
		Declares: Memory,
		Open:     func(testing.TB) store.Store { return memory.New(memory.Config{HardDeletes: true}) },
		Reopen:   func(testing.TB, store.Store) store.Store { return memory.New(memory.Config{HardDeletes: true}) },
		Another:  func(testing.TB, store.Store) store.Store { return memory.New(memory.Config{HardDeletes: true}) },
	}
	for _, c := range cases() {
		if c.needs&(store.Durable|store.SeveralProcesses) == 0 {
			continue
		}
		if _, failed := record(t, c, setup); !failed {
			t.Errorf("%q passes with stores that share nothing", c.name)
		}
	}
}

// TestUndeclaredStreamsAreCaught: the memory store takes several streams.
func TestUndeclaredStreamsAreCaught(t *testing.T) {
	t.Parallel()
	setup := Setup{Open: func(testing.TB) store.Store { return memory.New(memory.Config{}) }}
	c := caseNamed(t, "one append to two streams")
	if _, failed := record(t, c, setup); !failed {
		t.Errorf("%q passes with a store that takes what it does not declare", c.name)
	}
	setup.Declares = store.SeveralStreams
	if said, failed := record(t, c, setup); failed {
		t.Errorf("%q fails with a sound store:\n%s", c.name, said)
	}
}

func TestCaseNamesAreUnique(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, c := range cases() {
		if seen[c.name] {
			t.Errorf("two cases are named %q", c.name)
		}
		seen[c.name] = true
	}
	for _, number := range []string{
		"01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11", "12", "13", "44", "45", "46", "47", "48", "50",
	} {
		caseNamed(t, "case "+number+" ")
	}
}

func caseNamed(t testing.TB, prefix string) contractCase {
	t.Helper()
	for _, c := range cases() {
		if strings.HasPrefix(c.name, prefix) {
			return c
		}
	}
	t.Fatalf("no case is named %q", prefix)
	return contractCase{}
}
