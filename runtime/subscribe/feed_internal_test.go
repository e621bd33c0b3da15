package subscribe

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
)

// counting is a store that counts what is read of it.
type counting struct {
	store.Store
	local         *store.Local
	reads, events atomic.Int64
	before        func(ctx context.Context, q store.Query) error
}

func (c *counting) Read(ctx context.Context, q store.Query) iter.Seq2[store.Recorded, error] {
	c.reads.Add(1)
	return func(yield func(store.Recorded, error) bool) {
		if c.before != nil {
			if err := c.before(ctx, q); err != nil {
				yield(store.Recorded{}, err)
				return
			}
		}
		for r, err := range c.Store.Read(ctx, q) {
			if err == nil && !q.Backward {
				c.events.Add(1)
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

func newCounting() *counting {
	db := memory.New(memory.Config{HardDeletes: true})
	return &counting{Store: db, local: db.Local()}
}

func (c *counting) Local() *store.Local { return c.local }

func appendOne(t testing.TB, db store.Streams, stream, kind string, data []byte) {
	t.Helper()
	if data == nil {
		data = []byte(`{}`)
	}
	if _, err := db.Append(t.Context(), store.Batch{Stream: stream, Expected: store.Any, Events: []store.Event{{Type: kind, Format: store.JSON, Data: data}}}); err != nil {
		t.Fatal(err)
	}
}

// jsonOf is a text of about n bytes.
func jsonOf(n int) []byte { return fmt.Appendf(nil, `{"pad":%q}`, strings.Repeat("x", n)) }

// follower keeps the places of what it has read.
type follower struct {
	q     store.Query
	limit int

	mu   sync.Mutex
	got  []uint64
	bell store.Doorbell
}

// follow reads until ctx ends. It is woken by the bell alone.
func (r *follower) follow(ctx context.Context, f *feed, dice *rand.Rand) error {
	defer f.join(r.q)()
	at := uint64(0)
	for {
		bell := f.wait()
		page, end, err := f.read(ctx, r.q, at, 1+dice.IntN(r.limit))
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		r.mu.Lock()
		for i := range page {
			place := placeOf(r.q, &page[i])
			if place <= at {
				r.mu.Unlock()
				return fmt.Errorf("%s: %d follows %d", r.q, place, at)
			}
			at = place
			r.got = append(r.got, place)
		}
		r.mu.Unlock()
		r.bell.Ring()
		if !end {
			continue
		}
		select {
		case <-bell:
		case <-ctx.Done():
			return nil
		}
	}
}

// await returns what was read once it is as many as wanted, or ctx has ended.
func (r *follower) await(ctx context.Context, n int) []uint64 {
	for {
		bell := r.bell.Wait()
		r.mu.Lock()
		got := slices.Clone(r.got)
		r.mu.Unlock()
		if len(got) >= n {
			return got
		}
		select {
		case <-bell:
		case <-ctx.Done():
			return got
		}
	}
}

// Whatever readers there are, and whatever they select, each gets what the store
// itself selects for it, once and in order: from the shared reads, from its own, and
// from one after the other. Nobody polls here, so that a lost bell would end the test
// with events missing.
func TestFeedGivesEachReaderWhatTheStoreSelects(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	for round := range 12 {
		t.Run(fmt.Sprint(round), func(t *testing.T) {
			t.Parallel()
			dice := rand.New(rand.NewPCG(seed, uint64(round)))
			db := newCounting()
			f := newFeed(db)
			f.most = bounds{events: 1 + dice.IntN(60), bytes: 1 << (10 + dice.IntN(10))}
			streams := []string{"bank-1", "bank-2", "card-1", "card-2", "shop"}
			kinds := []string{"opened", "closed", "moved"}
			for range dice.IntN(200) {
				appendOne(t, db, streams[dice.IntN(len(streams))], kinds[dice.IntN(3)], nil)
			}
			queries := []store.Query{
				{},
				{Categories: []string{"bank"}},
				{Categories: []string{"card", "shop"}},
				{Types: []string{"closed"}},
				{Categories: []string{"bank"}, Types: []string{"moved", "opened"}},
				{Categories: []string{"nothing"}},
				{Stream: "bank-1"},
				{Stream: "card-2", Types: []string{"moved"}},
			}
			followers := make([]*follower, 1+dice.IntN(16))
			for i := range followers {
				followers[i] = &follower{q: queries[dice.IntN(len(queries))], limit: 1 + dice.IntN(100)}
			}
			var readers, writers sync.WaitGroup
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			for i, r := range followers {
				d := rand.New(rand.NewPCG(seed, uint64(1000*round+i)))
				readers.Go(func() {
					if err := r.follow(ctx, f, d); err != nil {
						t.Error(err)
					}
				})
			}
			for i := range 3 {
				d := rand.New(rand.NewPCG(seed, uint64(1000*round+500+i)))
				writers.Go(func() {
					for range 150 {
						appendOne(t, db, streams[d.IntN(len(streams))], kinds[d.IntN(3)], jsonOf(d.IntN(500)))
					}
				})
			}
			writers.Wait()
			for _, r := range followers {
				var want []uint64
				for event, err := range db.Store.Read(t.Context(), r.q) {
					if err != nil {
						t.Fatal(err)
					}
					want = append(want, placeOf(r.q, &event))
				}
				if diff := cmp.Diff(want, r.await(ctx, len(want))); diff != "" {
					t.Errorf("%s, types %v: %s", r.q, r.q.Types, diff)
				}
			}
			cancel()
			readers.Wait()
		})
	}
}

// Lanes of one subscription that catch up side by side read an event once between
// them, whichever of them is ahead.
func TestLanesThatCatchUpShareTheirReads(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	dice := rand.New(rand.NewPCG(seed, 0))
	db := newCounting()
	const n = 10_000
	for i := range n / 100 {
		events := make([]store.Event, 100)
		for j := range events {
			events[j] = store.Event{Type: "x", Format: store.JSON, Data: []byte(`{}`)}
		}
		if _, err := db.Append(t.Context(), store.Batch{Stream: fmt.Sprintf("bank-%d", i), Expected: store.Any, Events: events}); err != nil {
			t.Fatal(err)
		}
	}
	f := newFeed(db)
	q := store.Query{Categories: []string{"bank"}}
	at := make([]uint64, 8)
	for range at {
		defer f.join(q)()
	}
	for slices.Min(at) < n {
		i := dice.IntN(len(at))
		if at[i] > slices.Min(at)+1000 {
			continue // it handles what it has
		}
		page, _, err := f.read(t.Context(), q, at[i], 500)
		if err != nil {
			t.Fatal(err)
		}
		for j := range page {
			if at[i]++; uint64(page[j].Position) != at[i] {
				t.Fatalf("lane %d got %d after %d", i, page[j].Position, at[i]-1)
			}
		}
	}
	if read := db.events.Load(); read != n {
		t.Errorf("of %d events 8 lanes have read %d", n, read)
	}
}

// A hole that a hard delete has made is passed over, in the window and before it.
func TestFeedPassesOverHoles(t *testing.T) {
	t.Parallel()
	db := newCounting()
	f := newFeed(db)
	defer f.join(store.Query{})()
	defer f.join(store.Query{Categories: []string{"bank"}})()
	for range 5 {
		appendOne(t, db, "bank-1", "x", nil)
		appendOne(t, db, "gone-1", "x", nil)
	}
	read := func(at uint64) (places []uint64) {
		t.Helper()
		page, end, err := f.read(t.Context(), store.Query{}, at, 100)
		if err != nil || !end {
			t.Fatalf("end %t, %v", end, err)
		}
		for i := range page {
			places = append(places, uint64(page[i].Position))
		}
		return places
	}
	read(0) // places the window at 10
	appendOne(t, db, "gone-1", "x", nil)
	if err := db.Store.(store.Deleter).Delete(t.Context(), "gone-1", store.Any, store.Hard); err != nil {
		t.Fatal(err)
	}
	appendOne(t, db, "bank-1", "x", nil)
	if diff := cmp.Diff([]uint64{12}, read(10)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]uint64{1, 3, 5, 7, 9, 12}, read(0)); diff != "" {
		t.Error(diff)
	}
}

// What is kept is bounded in events and in bytes, whatever comes.
func TestWindowIsBounded(t *testing.T) {
	t.Parallel()
	f := newFeed(newCounting())
	f.most = bounds{events: 100, bytes: 1 << 20}
	w := newWindow(f, store.Query{})
	defer w.close()
	w.reset(0)
	at := uint64(0)
	add := func(n, size int) {
		page := make([]store.Recorded, n)
		for i := range page {
			at++
			page[i] = store.Recorded{Position: store.Position(at), Data: make([]byte, size)}
		}
		if !w.extend(at-uint64(n), page) {
			t.Fatalf("%d events after %d were refused", n, at)
		}
		kept := 0
		for i := range w.events {
			kept += weight(&w.events[i])
		}
		if len(w.events) > 100 || len(w.events) > 1 && kept > 1<<20 || kept != w.bytes || w.evicted > 1<<20 {
			t.Fatalf("%d events of %d bytes are kept, %d counted, %d evicted", len(w.events), kept, w.bytes, w.evicted)
		}
		if w.end != at || w.base != at-uint64(len(w.events)) {
			t.Fatalf("%d events are said to be those after %d up to %d, of %d", len(w.events), w.base, w.end, at)
		}
		if c := cap(w.events); c > 3000 {
			t.Fatalf("the slice has room for %d events", c)
		}
	}
	for range 50 {
		add(1000, 10)
		add(1, 3<<20) // more than may be kept, and the last one
		add(7, 200<<10)
		add(1, 0)
	}
}

// A read that fails is a failure for those who waited for it; the next one is another.
func TestFailingReadIsItsWaitersOnly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		db := newCounting()
		f := newFeed(db)
		boom := errors.New("boom")
		for range 3 {
			defer f.join(store.Query{})()
		}
		failing := atomic.Bool{}
		failing.Store(true)
		db.before = func(context.Context, store.Query) error {
			if failing.Load() {
				return boom
			}
			return nil
		}
		results := make(chan error, 3)
		for range 3 {
			go func() {
				_, _, err := f.read(t.Context(), store.Query{}, 0, 10)
				results <- err
			}()
		}
		for range 3 {
			if err := <-results; !errors.Is(err, boom) {
				t.Errorf("%v, want %v", err, boom)
			}
		}
		failing.Store(false)
		appendOne(t, db, "bank-1", "x", nil)
		if page, _, err := f.read(t.Context(), store.Query{}, 0, 10); err != nil || len(page) != 1 {
			t.Errorf("%d events, %v", len(page), err)
		}
	})
}

// A read that hangs holds nobody longer than its own context, and nobody who can
// be served by another one.
func TestHangingReadIsItsWaitersOnly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		db := newCounting()
		f := newFeed(db)
		defer f.join(store.Query{})()
		defer f.join(store.Query{})()
		appendOne(t, db, "bank-1", "x", nil)
		hung := atomic.Int64{}
		db.before = func(ctx context.Context, _ store.Query) error {
			if hung.Add(1) > 1 {
				return nil
			}
			<-ctx.Done()
			return ctx.Err()
		}
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if _, _, err := f.read(short, store.Query{}, 0, 10); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
		page, _, err := f.read(t.Context(), store.Query{}, 0, 10)
		if len(page) != 1 || err != nil || time.Since(began) != overdue {
			t.Errorf("after %s: %d events, %v", time.Since(began), len(page), err)
		}
	})
}

// A query that selects nothing of a long log is not asked about all of it each time.
func TestSelectiveQueryIsAskedAboutTheRestOnly(t *testing.T) {
	t.Parallel()
	for _, readers := range []int{1, 2} {
		t.Run(fmt.Sprint(readers), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				db := newCounting()
				f := newFeed(db)
				q := store.Query{Types: []string{"rare"}}
				for range readers {
					defer f.join(q)()
				}
				for range 1000 {
					appendOne(t, db, "bank-1", "x", nil)
				}
				var lowest atomic.Uint64
				db.before = func(_ context.Context, q store.Query) error {
					if !q.Backward {
						lowest.Store(uint64(q.FromPosition))
					}
					return nil
				}
				for range 20 {
					if page, end, err := f.read(t.Context(), q, 0, 10); len(page) > 0 || !end || err != nil {
						t.Fatalf("%d events, end %t, %v", len(page), end, err)
					}
				}
				if readers == 1 && lowest.Load() != 1001 {
					t.Errorf("after 20 reads that found nothing the log is read from %d on", lowest.Load())
				}
				appendOne(t, db, "bank-1", "rare", nil)
				if page, _, err := f.read(t.Context(), q, 0, 10); len(page) != 1 || err != nil {
					t.Errorf("%d events, %v", len(page), err)
				}
			})
		})
	}
}

// What was kept of a store that was replaced is not given out.
func TestForgottenEventsAreNotGiven(t *testing.T) {
	t.Parallel()
	db := newCounting()
	f := newFeed(db)
	defer f.join(store.Query{})()
	defer f.join(store.Query{})()
	for range 10 {
		appendOne(t, db, "bank-1", "before", nil)
	}
	if page, _, err := f.read(t.Context(), store.Query{}, 0, 100); len(page) != 10 || err != nil {
		t.Fatalf("%d events, %v", len(page), err)
	}
	db.Store = memory.New(memory.Config{})
	appendOne(t, db, "bank-1", "after", nil)
	f.forget()
	page, _, err := f.read(t.Context(), store.Query{}, 0, 100)
	if len(page) != 1 || page[0].Type != "after" || err != nil {
		t.Errorf("%d events, %v", len(page), err)
	}
}

// A store is replaced by an older copy, and nothing tells of it. What is written then
// has places that a query which selects little was known to have nothing at.
func TestAnOlderStoreIsNotPassedOver(t *testing.T) {
	t.Parallel()
	for name, readers := range map[string]int{"alone": 1, "shared": 2} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				db := newCounting()
				f := newFeed(db)
				rare := store.Query{Categories: []string{"rare"}}
				leave := []func(){f.join(rare)}
				if readers > 1 {
					leave = append(leave, f.join(store.Query{}))
				}
				defer func() {
					for _, l := range leave {
						l()
					}
					synctest.Wait()
				}()
				reads := func() (got []store.Recorded) {
					for range 10 * headEvery {
						page, _, err := f.read(t.Context(), rare, 0, 100)
						if err != nil {
							t.Fatal(err)
						}
						if got = append(got, page...); len(got) > 0 {
							break
						}
						time.Sleep(time.Second) //nolint:forbidigo // time of a bubble only
					}
					return got
				}
				for range 20 {
					appendOne(t, db, "often-1", "x", nil)
				}
				if got := reads(); len(got) != 0 {
					t.Fatalf("read %v", got)
				}
				db.Store = memory.New(memory.Config{})
				for range 3 {
					appendOne(t, db, "often-1", "x", nil)
				}
				if got := reads(); len(got) != 0 {
					t.Fatalf("read %v", got)
				}
				appendOne(t, db, "rare-1", "x", nil)
				if got := reads(); len(got) != 1 || got[0].Position != 4 {
					t.Errorf("read %v, want event 4", got)
				}
			})
		})
	}
}

// Stores that wrap the same one share its bell, and no feed.
func TestFeedIsTheStoresOwn(t *testing.T) {
	t.Parallel()
	one := newCounting()
	another := &counting{Store: one.Store, local: one.local}
	if first := feedOf(one); first != feedOf(one) || first == feedOf(another) {
		t.Error("two stores that read differently have one feed")
	}
	type uncomparable struct {
		store.Store
		_ []int
	}
	if feedOf(uncomparable{Store: one}) == nil {
		t.Error("a store that cannot be compared has no feed")
	}
}

// Pages are shared, so that extending a window changes none that was given out.
func TestPagesStayAsTheyWereGiven(t *testing.T) {
	t.Parallel()
	db := newCounting()
	f := newFeed(db)
	f.most.events = 10
	defer f.join(store.Query{})()
	defer f.join(store.Query{})()
	type given struct {
		page []store.Recorded
		from uint64
	}
	all := make([]given, 0, 200)
	at := uint64(0)
	for n := range 200 {
		appendOne(t, db, "bank-1", "x", jsonOf(n))
		page, _, err := f.read(t.Context(), store.Query{}, at, 5)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, given{page, at})
		at += uint64(len(page))
	}
	for _, g := range all {
		for i := range g.page {
			if want := g.from + uint64(i) + 1; uint64(g.page[i].Position) != want {
				t.Fatalf("event %d is now %d", want, g.page[i].Position)
			}
		}
	}
}

// What cannot be read of some events stops nobody who does not read them.
func TestFeedKeepsFailuresFromWhoDoesNotReadTheEvent(t *testing.T) {
	t.Parallel()
	db := newCounting()
	unreadable := errors.New("unreadable")
	var broken atomic.Bool
	db.before = func(_ context.Context, q store.Query) error {
		if broken.Load() && len(q.Categories) == 0 && !q.Backward {
			return unreadable
		}
		return nil
	}
	f := newFeed(db)
	queries := []store.Query{{}, {Categories: []string{"bank"}}, {Categories: []string{"card"}}}
	for _, q := range queries {
		defer f.join(q)()
		if _, _, err := f.read(t.Context(), q, 0, 10); err != nil {
			t.Fatal(err)
		}
	}
	broken.Store(true)
	appendOne(t, db, "bank-1", "opened", nil)
	for _, q := range queries {
		page, _, err := f.read(t.Context(), q, 0, 10)
		want := map[bool]error{true: unreadable}[len(q.Categories) == 0]
		if !errors.Is(err, want) || want == nil && (err != nil || len(page) != map[string]int{"bank": 1}[q.Categories[0]]) {
			t.Errorf("%s: %d events, %v, want %v", q, len(page), err, want)
		}
	}
}
