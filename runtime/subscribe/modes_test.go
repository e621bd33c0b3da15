package subscribe_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
	"github.com/esgen/esgen/runtime/subscribe"
)

// batches is a batch handler that keeps what it is given.
type batches struct {
	recorder
	mu    sync.Mutex
	sizes []int
	fail  func(events []store.Recorded) error
}

func (b *batches) batch(ctx context.Context, events []store.Recorded) error {
	if b.fail != nil {
		if err := b.fail(events); err != nil {
			return err
		}
	}
	b.mu.Lock()
	b.sizes = append(b.sizes, len(events))
	b.mu.Unlock()
	for _, r := range events {
		if err := b.handle(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// given returns the sizes of the batches so far.
func (b *batches) given() []int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.sizes)
}

func (b *batches) runs(t *testing.T, db store.Store, name string, c subscribe.Config) *process {
	t.Helper()
	s, err := subscribe.NewBatch(db, name, b.batch, c)
	if err != nil {
		t.Fatal(err)
	}
	return run(t, s)
}

func TestBatchesBySizeAndTime(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, db *faulty) {
		appendTo(t, db, "bank-1", 25)
		b := &batches{}
		p := b.runs(t, db, "batches", subscribe.Config{Batch: subscribe.Batch{Size: 10, After: time.Second}})
		pass(100 * time.Millisecond)
		if diff := cmp.Diff([]int{10, 10}, b.given()); diff != "" {
			t.Errorf("full batches are given at once: %s", diff)
		}
		pass(1100 * time.Millisecond)
		if diff := cmp.Diff([]int{10, 10, 5}, b.given()); diff != "" {
			t.Errorf("the rest is given after a second: %s", diff)
		}
		if got := positions(b.handled()); len(got) != 25 || !slices.IsSorted(got) {
			t.Errorf("handled %v", got)
		}
		p.stop(t)
		if s := p.Status(); s.Stored != 25 {
			t.Errorf("the checkpoint is at %d, want 25", s.Stored)
		}
	})
}

// A batch that fails is handled again event by event, so that the policy concerns
// the event that fails.
func TestFailingBatchIsTakenApart(t *testing.T) {
	t.Parallel()
	for policy, want := range map[subscribe.Policy][]uint64{
		subscribe.ThenStop: {1, 2, 3},
		subscribe.ThenSkip: {1, 2, 3, 5, 6, 7, 8},
		subscribe.ThenPark: {1, 2, 3, 5, 7}, // 6 and 8 are of the same stream as 4
	} {
		t.Run(fmt.Sprint(policy), func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T, db *faulty) {
				for i := range 8 {
					appendTo(t, db, fmt.Sprint("bank-", i%2), 1)
				}
				b := &batches{fail: func(events []store.Recorded) error {
					if slices.ContainsFunc(events, func(r store.Recorded) bool { return r.Position == 4 }) {
						return errSick
					}
					return nil
				}}
				p := b.runs(t, db, "apart", subscribe.Config{OnFailure: policy, Retry: subscribe.Retry{Attempts: 2}})
				pass(time.Minute)
				if diff := cmp.Diff(want, positions(b.handled())); diff != "" {
					t.Error(diff)
				}
				if policy == subscribe.ThenStop {
					failed, ok := errors.AsType[*subscribe.HandlerError](p.result(t))
					if !ok || failed.Position != 4 || p.Status().Stored != 3 {
						t.Errorf("Run returned %v with the checkpoint at %d", p.err, p.Status().Stored)
					}
					return
				}
				p.stop(t)
				if s := p.Status(); s.Stored != 8 {
					t.Errorf("the checkpoint is at %d, want 8", s.Stored)
				}
			})
		})
	}
}

// transactor is a memory store with transactions that fail as they are told.
type transactor struct {
	*faulty
	// after is called when the handler has returned; it decides about the commit
	// and its reply.
	after func(n int) (commits bool, err error)
	n     int
	// effects are what was committed.
	effects []uint64
}

func (x *transactor) Transact(ctx context.Context, m store.Move, f func(context.Context, store.Streams) error) error {
	found, err := x.Subscriptions().Find(ctx, m.Subscription)
	if err != nil {
		return err
	}
	if lane := found.Lanes[m.Lane]; lane.Token != m.Token || lane.At != m.From {
		return &store.FencedError{Holds: []store.Hold{m.Hold}}
	}
	var effects []uint64
	if err := f(context.WithValue(ctx, effectsKey{}, &effects), x); err != nil {
		return err
	}
	x.n++
	commits, lost := x.after(x.n)
	if !commits {
		return lost
	}
	if err := x.Subscriptions().Advance(ctx, m); err != nil {
		return err
	}
	x.effects = append(x.effects, effects...)
	return lost
}

type effectsKey struct{}

// A transaction that is rolled back, or whose reply is lost, has effect once.
func TestTransactionHasEffectOnce(t *testing.T) {
	t.Parallel()
	for name, after := range map[string]func(n int) (bool, error){
		"works":       func(int) (bool, error) { return true, nil },
		"rolled back": func(n int) (bool, error) { return n%2 == 0, map[bool]error{true: errAway}[n%2 == 1] },
		"reply lost":  func(n int) (bool, error) { return true, map[bool]error{true: errAway}[n%2 == 1] },
		"any":         func(n int) (bool, error) { return n%3 != 0, map[bool]error{true: errAway}[n%3 != 1] },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T, db *faulty) {
				x := &transactor{faulty: db, after: after}
				appendTo(t, db, "bank-1", 30)
				attempts := 0
				s, err := subscribe.NewTx(x, "once", func(ctx context.Context, events []store.Recorded) error {
					if attempts++; attempts%4 == 0 {
						return errSick
					}
					effects := ctx.Value(effectsKey{}).(*[]uint64)
					for _, r := range events {
						*effects = append(*effects, uint64(r.Position))
					}
					return nil
				}, subscribe.Config{Batch: subscribe.Batch{Size: 4}})
				if err != nil {
					t.Fatal(err)
				}
				p := run(t, s)
				pass(5 * time.Minute)
				want := make([]uint64, 30)
				for i := range want {
					want[i] = uint64(i + 1)
				}
				if diff := cmp.Diff(want, x.effects); diff != "" {
					t.Error(diff)
				}
				if s := p.Status(); s.Stored != 30 || s.State != "live" {
					t.Errorf("the status is %+v", s)
				}
				p.stop(t)
			})
		})
	}
}

// On a real store what the handler appends is there once, also if it fails between.
func TestTransactionsOfStores(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, db store.Store) {
		if _, ok := db.(store.Transactor); !ok {
			if _, err := subscribe.NewTx(db, "copies", func(context.Context, []store.Recorded) error { return nil }, subscribe.Config{}); !errors.Is(err, store.ErrInvalid) {
				t.Errorf("NewTx on a store without transactions: %v, want an InvalidError", err)
			}
			return
		}
		for i := range 30 {
			appendTo(t, db, fmt.Sprint("bank-", i%3), 2)
		}
		attempts := 0
		s, err := subscribe.NewTx(db, "copies", func(ctx context.Context, events []store.Recorded) error {
			to, ok := store.StreamsFrom(ctx)
			if !ok {
				return subscribe.Stop(errors.New("no streams in the context"))
			}
			for _, r := range events {
				_, err := to.Append(store.CausedBy(ctx, r), store.Batch{Stream: "copy-1", Expected: store.Any, Events: []store.Event{
					{Type: "copied", Format: store.JSON, Data: fmt.Appendf(nil, `{"of":%d}`, r.Position)},
				}})
				if err != nil {
					return err
				}
				if attempts++; attempts%17 == 0 {
					return errSick // after some appends: they must not be there
				}
			}
			return nil
		}, subscribe.Config{Categories: []string{"bank"}, Batch: subscribe.Batch{Size: 7}, Retry: subscribe.Retry{First: time.Millisecond, Longest: time.Millisecond}})
		if err != nil {
			t.Fatal(err)
		}
		p := run(t, s)
		await(t, p.Live(), "Live")
		p.stop(t)
		var copies []string
		for r, err := range db.Read(t.Context(), store.Query{Stream: "copy-1"}) {
			if err != nil {
				t.Fatal(err)
			}
			copies = append(copies, string(r.Data))
		}
		want := make([]string, 60)
		for i := range want {
			want[i] = fmt.Sprintf(`{"of":%d}`, i+1)
		}
		for i, c := range copies {
			copies[i] = string(slices.DeleteFunc([]byte(c), func(b byte) bool { return b == ' ' }))
		}
		if diff := cmp.Diff(want, copies); diff != "" {
			t.Error(diff)
		}
	})
}

// Deliveries are acknowledged in the program's own time: the checkpoint follows
// what is acknowledged without a gap, and what is refused comes again in order.
func TestPull(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, db store.Store) {
		for i := range 12 {
			appendTo(t, db, fmt.Sprint("bank-", i%2), 1)
		}
		pull, err := subscribe.NewPull(db, "pulled", subscribe.Config{InFlight: 4, Retry: subscribe.Retry{First: time.Millisecond, Longest: time.Millisecond}})
		if err != nil {
			t.Fatal(err)
		}
		var out []*subscribe.Delivery
		var got []uint64
		refused := false
		for d, err := range pull.Events(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, uint64(d.Position))
			if out = append(out, d); len(out) > 4 {
				t.Fatalf("%d events are in flight", len(out))
			}
			if len(out) == 4 && !refused {
				refused = true
				// 1 is refused: 3, of the same stream, is taken back with it.
				if err := out[0].Nack(errSick); err != nil {
					t.Fatal(err)
				}
				if err := out[2].Ack(); !errors.Is(err, subscribe.ErrStale) {
					t.Errorf("Ack of a delivery that was taken back: %v, want ErrStale", err)
				}
				for _, i := range []int{3, 1} { // in any order
					if err := out[i].Ack(); err != nil {
						t.Fatal(err)
					}
				}
				out = nil
				continue
			}
			if refused {
				if err := d.Ack(); err != nil {
					t.Fatal(err)
				}
				if err := d.Ack(); !errors.Is(err, subscribe.ErrStale) {
					t.Errorf("a second Ack: %v, want ErrStale", err)
				}
				out = nil
			}
			if len(got) == 14 {
				break
			}
		}
		odd := slices.DeleteFunc(slices.Clone(got[4:]), func(p uint64) bool { return p%2 == 0 })
		if diff := cmp.Diff([]uint64{1, 2, 3, 4}, got[:4]); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]uint64{1, 3, 5, 7, 9, 11}, odd); diff != "" {
			t.Error(diff)
		}
		if s := pull.Status(); s.Stored != 12 || s.State != "not running" {
			t.Errorf("after the loop the status is %+v", s)
		}
	})
}

// What was given out and not acknowledged comes again in the next run, and an
// answer to it from the last one changes nothing.
func TestPullIsLeft(t *testing.T) {
	t.Parallel()
	db := memory.New(memory.Config{})
	appendTo(t, db, "bank-1", 3)
	pull, err := subscribe.NewPull(db, "left", subscribe.Config{})
	if err != nil {
		t.Fatal(err)
	}
	var last *subscribe.Delivery
	for d := range pull.Events(t.Context()) {
		if last = d; d.Position == 2 {
			break
		}
		if err := d.AckUpTo(); err != nil {
			t.Fatal(err)
		}
	}
	if err := last.Ack(); !errors.Is(err, subscribe.ErrLeaseLost) {
		t.Errorf("Ack after the loop: %v, want ErrLeaseLost", err)
	}
	var again []uint64
	for d := range pull.Events(t.Context()) {
		if again = append(again, uint64(d.Position)); len(again) == 2 {
			break
		}
	}
	if diff := cmp.Diff([]uint64{2, 3}, again); diff != "" {
		t.Error(diff)
	}
}

// Select and Map are the program's, Only is the database's: what they leave out
// counts as handled.
func TestSelectMapAndOnly(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, db store.Store) {
		for i := range 20 {
			_, err := db.Append(t.Context(), store.Batch{Stream: "bank-1", Expected: store.Any, Events: []store.Event{
				{Type: []string{"happened", "other"}[i%2], Format: store.JSON, Data: []byte(`{}`)},
			}})
			if err != nil {
				t.Fatal(err)
			}
		}
		h := &recorder{}
		p := run(t, newSubscription(t, db, "selects", h.handle, subscribe.Config{
			Only:   []string{"happened"},
			Select: func(r store.Recorded) bool { return r.Version%4 == 1 },
			Map:    func(r store.Recorded) store.Recorded { r.Type = "mapped"; return r },
		}))
		await(t, p.Live(), "Live")
		p.stop(t)
		if diff := cmp.Diff([]uint64{1, 5, 9, 13, 17}, positions(h.handled())); diff != "" {
			t.Error(diff)
		}
		if h.handled()[0].Type != "mapped" {
			t.Errorf("the event was not mapped: %+v", h.handled()[0])
		}
		if s := p.Status(); s.Stored != 19 {
			t.Errorf("the checkpoint is at %d, want 19, the last of the type", s.Stored)
		}
	})
}
