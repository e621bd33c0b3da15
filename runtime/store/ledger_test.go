package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
)

// What a ledger does is held against the contract with the memory store. Here is
// what it saves.

var errDisk = errors.New("disk full")

// shelf is where a ledger saves; fail refuses.
type shelf struct {
	text  []byte
	saves int
	fail  bool
}

func (s *shelf) save(k store.Kept) (err error) {
	if s.fail {
		return errDisk
	}
	s.saves++
	s.text, err = json.Marshal(k)
	return err
}

func (s *shelf) load(t *testing.T) (k store.Kept) {
	t.Helper()
	if s.text == nil {
		return store.Kept{}
	}
	if err := json.Unmarshal(s.text, &k); err != nil {
		t.Fatal(err)
	}
	return k
}

// filled is a ledger with a held lane, and something parked.
func filled(t *testing.T, s *shelf) (*store.Ledger, store.Member, store.Hold) {
	t.Helper()
	l := store.NewLedger(store.Kept{}, time.Now, s.save)
	m := store.Member{ID: uuid.New(), Label: "m", Lease: time.Hour, Runs: []string{"s"}}
	if _, err := l.Open(t.Context(), store.Subscription{Name: "s", Settings: "all", Lanes: make([]store.Lane, 2)}); err != nil {
		t.Fatal(err)
	}
	r, err := l.Renew(t.Context(), m)
	if err != nil || len(r.Lanes) != 2 {
		t.Fatalf("renew: %+v, %v", r, err)
	}
	h := store.Hold{Subscription: "s", Token: r.Lanes[0].Token}
	if err := l.Park(t.Context(), h, waiting(3), waiting(4)); err != nil {
		t.Fatal(err)
	}
	return l, m, h
}

func waiting(at uint64) store.Parked {
	return store.Parked{Key: "k", At: at, Stream: "bank-1", Version: 1, Type: "t", State: store.ParkedWaiting}
}

// changes are all calls that change something of what filled makes.
func changes(l *store.Ledger, h store.Hold) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"Open": func(ctx context.Context) error {
			_, err := l.Open(ctx, store.Subscription{Name: "t", Lanes: make([]store.Lane, 1)})
			return err
		},
		"Advance": func(ctx context.Context) error { return l.Advance(ctx, store.Move{Hold: h, To: 5}) },
		"Report":  func(ctx context.Context) error { return l.Report(ctx, h, "sick") },
		"Release": func(ctx context.Context) error { return l.Release(ctx, h) },
		"Park":    func(ctx context.Context) error { return l.Park(ctx, h, waiting(9), waiting(3)) },
		"Unpark":  func(ctx context.Context) error { return l.Unpark(ctx, h, "k", 3) },
		"Mark": func(ctx context.Context) error {
			_, err := l.Mark(ctx, "s", "k", store.ParkedDiscarded, "")
			return err
		},
		"Pause":  func(ctx context.Context) error { return l.Pause(ctx, "s", true) },
		"Reset":  func(ctx context.Context) error { return l.Reset(ctx, "s", 7, true) },
		"Rename": func(ctx context.Context) error { return l.Rename(ctx, "s", "u") },
		"Delete": func(ctx context.Context) error { return l.Delete(ctx, "s") },
	}
}

func TestALedgerThatCannotSaveHasNotChanged(t *testing.T) {
	t.Parallel()
	s := &shelf{}
	l, m, h := filled(t, s)
	all := changes(l, h)
	all["Leave"] = func(ctx context.Context) error { return l.Leave(ctx, m.ID) }
	before := l.Kept()
	s.fail = true
	for name, change := range all {
		if err := change(t.Context()); !errors.Is(err, errDisk) {
			t.Errorf("%s: %v, want that of save", name, err)
		}
		if diff := cmp.Diff(before, l.Kept()); diff != "" {
			t.Errorf("%s has changed (-before +after):\n%s", name, diff)
		}
	}
	// The member lives on, for nothing of that is saved.
	if _, err := l.Renew(t.Context(), m); err != nil {
		t.Errorf("a mere renewal: %v", err)
	}
	s.fail = false
	for name := range all {
		if err := changes(l, h)["Advance"](t.Context()); err != nil {
			t.Errorf("after %s: %v", name, err)
		}
	}
}

func TestALedgerSavesBeforeItChanges(t *testing.T) {
	t.Parallel()
	for name := range changes(nil, store.Hold{}) {
		s := &shelf{}
		l, _, h := filled(t, s)
		before := s.saves
		if err := changes(l, h)[name](t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if s.saves != before+1 {
			t.Errorf("%s saved %d times, want once", name, s.saves-before)
		}
		want := l.Kept()
		want.Members = nil
		if diff := cmp.Diff(want, s.load(t), ignoreOrder); diff != "" {
			t.Errorf("after %s another thing is saved (-kept +saved):\n%s", name, diff)
		}
	}
}

// ignoreOrder takes an empty list for none.
var ignoreOrder = cmp.Transformer("none", func(all []store.Parked) []store.Parked {
	if len(all) == 0 {
		return nil
	}
	return all
})

// TestOwnersEndWithTheirProcess: who opens the file again owns nothing, and what was
// held is void.
func TestOwnersEndWithTheirProcess(t *testing.T) {
	t.Parallel()
	s := &shelf{}
	l, m, h := filled(t, s)
	if err := l.Advance(t.Context(), store.Move{Hold: h, To: 5}); err != nil {
		t.Fatal(err)
	}
	before, err := l.Renew(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	l = store.NewLedger(s.load(t), time.Now, s.save)
	if err := l.Advance(t.Context(), store.Move{Hold: h, From: 5, To: 6}); !errors.Is(err, store.ErrFenced) {
		t.Errorf("advance: %v, want a FencedError", err)
	}
	next := store.Member{ID: uuid.New(), Lease: time.Hour, Runs: []string{"s"}}
	r, err := l.Renew(t.Context(), next)
	if err != nil || len(r.Lanes) != 2 || r.Lanes[0].At != 5 || r.Lanes[0].Token <= h.Token || r.Epoch != before.Epoch {
		t.Errorf("renew: %+v, %v; before %+v", r, err, before)
	}
	if sub, err := l.Find(t.Context(), "s"); err != nil || sub.Parked != 2 {
		t.Errorf("%+v, %v, want 2 parked", sub, err)
	}
}

func TestLeasesOfALedgerEndByItsClock(t *testing.T) {
	t.Parallel()
	now := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	l := store.NewLedger(store.Kept{}, func() time.Time { return now }, nil)
	if _, err := l.Open(t.Context(), store.Subscription{Name: "s", Lanes: make([]store.Lane, 1)}); err != nil {
		t.Fatal(err)
	}
	first := store.Member{ID: uuid.New(), Label: "first", Lease: 4 * time.Second, Runs: []string{"s"}}
	if _, err := l.Renew(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		after time.Duration
		lanes int
	}{{0, 0}, {3999 * time.Millisecond, 0}, {time.Millisecond, 1}} {
		now = now.Add(c.after)
		other := store.Member{ID: uuid.New(), Lease: time.Millisecond, Runs: []string{"s"}}
		r, err := l.Renew(t.Context(), other)
		if err != nil || len(r.Lanes) != c.lanes {
			t.Errorf("at %s: %+v, %v, want %d lanes", now, r, err, c.lanes)
		}
	}
	// Members that are long gone are forgotten.
	now = now.Add(3 * time.Hour)
	for range 2 { // the first takes the lane, so that the other owns nothing
		if _, err := l.Renew(t.Context(), first); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(l.Kept().Members); n != 1 {
		t.Errorf("%d members are remembered, want 1", n)
	}
}

func TestADoorbellBesideIsTheSame(t *testing.T) {
	t.Parallel()
	var l store.Local
	beside := l.Beside().Beside()
	type key struct{}
	a, b := l.Value(key{}, func() any { return "a" }), beside.Value(key{}, func() any { return "b" })
	if a != "a" || b != "b" || l.Value(key{}, func() any { return "c" }) != "a" {
		t.Errorf("values are %v and %v, want each its own", a, b)
	}
	for _, ring := range []func(){l.Ring, beside.Ring} {
		waits := []<-chan struct{}{l.Wait(), beside.Wait()}
		ring()
		for i, wait := range waits {
			select {
			case <-wait:
			default:
				t.Errorf("bell %d did not ring", i)
			}
		}
	}
}
