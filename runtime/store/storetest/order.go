package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
)

func orderCases() []contractCase {
	return []contractCase{
		{name: "of appends that expect the same version one succeeds", run: func(f *fixture) { oneWinner(f, f.store) }},
		{name: "of appends that create the same stream one succeeds", run: createsOnce},
		{name: "concurrent appends to any version all succeed", run: anyNeverConflicts},
		{name: "of concurrent retries of one append one stores", run: retriesOnce},
		{name: "the order holds under concurrent appends", run: func(f *fixture) { keepsOrder(f, f.store) }},
	}
}

func createsOnce(f *fixture) {
	for round := range 10 {
		stream := fmt.Sprintf("bank-%d", round)
		errs := make([]error, 12)
		f.together(len(errs), func(i int) {
			expected := []store.Version{store.NoStream, store.Any}[i%2]
			_, errs[i] = f.store.Append(f.ctx, batch(stream, expected, event(i)))
		})
		created := 0
		for i, err := range errs {
			switch {
			case err == nil && i%2 == 0:
				created++
			case err != nil && (i%2 == 1 || !errors.Is(err, store.ErrStreamExists)):
				f.Fatalf("append %d to the new stream %s: %v", i, stream, err)
			}
		}
		if created > 1 {
			f.Fatalf("%d appends created the stream %s", created, stream)
		}
		f.equal("events of "+stream, len(errs)/2+created, len(f.stream(stream)))
	}
}

func anyNeverConflicts(f *fixture) {
	const writers, each = 8, 12
	f.append("bank-1", store.NoStream, event(1))
	var mu sync.Mutex
	versions := []int{1}
	f.together(writers, func(w int) {
		for i := range each {
			expected := []store.Version{store.Any, store.StreamExists}[i%2]
			appended, err := appendOne(f.ctx, f.store, batch("bank-1", expected, event(i)))
			if err != nil {
				f.Errorf("writer %d, append %d expecting %s: %v", w, i, expected, err)
				return
			}
			mu.Lock()
			versions = append(versions, int(appended.Version))
			mu.Unlock()
		}
	})
	slices.Sort(versions)
	f.equal("versions given", upTo(1+writers*each), versions)
}

func retriesOnce(f *fixture) {
	for round := range 10 {
		stream := fmt.Sprintf("bank-%d", round)
		given := identified(3)
		expected := []store.Version{store.NoStream, store.Any}[round%2]
		answers := make([]store.Appended, 8)
		f.together(len(answers), func(i int) {
			appended, err := appendOne(f.ctx, f.store, batch(stream, expected, given...))
			if err != nil {
				f.Errorf("retry %d: %v", i, err)
				return
			}
			answers[i] = appended
		})
		stored := 0
		for _, a := range answers {
			if !a.Duplicate {
				stored++
			}
			a.Duplicate = answers[0].Duplicate
			f.equal("answer", answers[0], a)
		}
		f.equal("appends that stored", 1, stored)
		f.equal("events", upTo(3), carried(f.stream(stream)))
	}
}

// seeded makes the case's source of chance, and logs how to repeat it.
func seeded(tb testing.TB) *rand.Rand {
	tb.Helper()
	seed := uint64(time.Now().UnixNano())
	if given, err := strconv.ParseUint(os.Getenv("STORETEST_SEED"), 10, 64); err == nil {
		seed = given
	}
	tb.Logf("seed %d; repeat with STORETEST_SEED=%d", seed, seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// keepsOrder runs writers of every kind against readers that follow and readers
// that come late, and compares at the end what was acknowledged, what was read
// on the way, and what is stored.
func keepsOrder(f *fixture, handles ...store.Store) {
	const writers = 8
	limit := 1500 * time.Millisecond
	if testing.Short() {
		limit = 300 * time.Millisecond
	}
	random := seeded(f)
	f.append("hot-1", store.NoStream, event(0))
	begin := ledger{stored: places(f.all())}

	var writing, reading sync.WaitGroup
	done := make(chan struct{})
	end := time.Now().Add(limit)
	ledgers := make([]ledger, writers)
	for i := range writers {
		w := &writer{f: f, n: i, store: handles[i%len(handles)], random: rand.New(rand.NewPCG(random.Uint64(), 0)), ledger: &ledgers[i]}
		writing.Go(func() { w.run(end) })
	}
	queries := []store.Query{{}, {Stream: "hot-1"}, {Categories: []string{"new"}}, {Categories: []string{"new", "own"}}}
	followed := make([][]place, len(queries))
	for i, q := range queries {
		reading.Go(func() { followed[i] = f.follow(handles[(i+1)%len(handles)], q, done) })
	}
	var late [][]place
	reading.Go(func() { late = f.readLate(handles[len(handles)-1], done) })
	writing.Wait()
	close(done)
	reading.Wait()

	all := f.all()
	for i, r := range all {
		if i > 0 && r.Position <= all[i-1].Position {
			f.Fatalf("$all is out of order: position %d stands behind %d", r.Position, all[i-1].Position)
		}
		if f.setup.Declares.Has(store.DenseOrder) && r.Position != store.Position(i+1) {
			f.Fatalf("$all is not dense: event %d has position %d", i+1, r.Position)
		}
	}
	for i, q := range queries {
		f.samePlaces("a reader that followed "+q.String(), places(selected(all, q)), followed[i])
	}
	stored := places(all)
	for _, read := range late {
		f.samePlaces("a reader that came late", stored[:min(len(read), len(stored))], read)
	}
	f.samePlaces("$all backward", reversed(stored), places(f.read(store.Query{Backward: true})))
	for _, stream := range []string{"hot-1", "contested-1", "own-0"} {
		if want := places(selected(all, store.Query{Stream: stream})); len(want) > 0 { // chance has it that it is written
			f.samePlaces(stream, want, places(f.stream(stream)))
		}
	}
	f.settle(all, append([]ledger{begin}, ledgers...))
}

// settle compares what the ledgers say with what is stored.
func (f *fixture) settle(all []store.Recorded, ledgers []ledger) {
	acknowledged := map[uuid.UUID]place{}
	refused := 0
	for _, l := range ledgers {
		refused += l.refused
		for _, p := range l.stored {
			acknowledged[p.id] = p
		}
	}
	versions := map[string]store.Version{}
	for _, r := range all {
		p, ok := acknowledged[r.ID]
		if !ok {
			f.Fatalf("event %s at position %d of %s is stored, but was never acknowledged", r.ID, r.Position, r.Stream)
		}
		delete(acknowledged, r.ID)
		if p.stream != r.Stream || p.version != r.Version || p.position != 0 && p.position != r.Position {
			f.Fatalf("event %s was acknowledged at %+v, but is stored at position %d as version %d of %s", r.ID, p, r.Position, r.Version, r.Stream)
		}
		if versions[r.Stream]++; r.Version != versions[r.Stream] {
			f.Fatalf("the next version of %s in $all is %d, want %d", r.Stream, r.Version, versions[r.Stream])
		}
	}
	for _, p := range acknowledged {
		f.Fatalf("%d acknowledged events are not stored, one is %+v", len(acknowledged), p)
	}
	f.Logf("%d events in %d streams, %d appends refused", len(all), len(versions), refused)
}

func (f *fixture) samePlaces(what string, want, got []place) {
	f.Helper()
	for i := range max(len(want), len(got)) {
		switch {
		case i >= len(got):
			f.Fatalf("%s missed the last %d of %d events, first %+v", what, len(want)-i, len(want), want[i])
		case i >= len(want):
			f.Fatalf("%s saw %d events more than are stored, first %+v", what, len(got)-i, got[i])
		case want[i] != got[i]:
			f.Fatalf("%s saw %+v as event %d, want %+v", what, got[i], i+1, want[i])
		}
	}
}
