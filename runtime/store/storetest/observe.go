package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
)

// traceParent is a trace that contexts of the cases carry.
const traceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

// witness keeps what a store tells it.
type witness struct {
	panics bool

	mu      sync.Mutex
	begun   []store.Operation
	ended   []told
	changed chan struct{} // has room for one signal
}

type told struct {
	Op     store.Operation
	Result store.Result
}

func newWitness() *witness { return &witness{changed: make(chan struct{}, 1)} }

// begunKey finds what Begin has put into a context: the number of the operation.
type begunKey struct{}

func (w *witness) Begin(ctx context.Context, op store.Operation) context.Context {
	w.mu.Lock()
	defer w.mu.Unlock()
	op.Appends = slices.Clone(op.Appends)
	w.begun = append(w.begun, op)
	if w.panics {
		panic("this observer panics")
	}
	return store.WithTrace(context.WithValue(ctx, begunKey{}, len(w.begun)-1), traceParent, "")
}

func (w *witness) End(ctx context.Context, op store.Operation, r store.Result) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n, ok := ctx.Value(begunKey{}).(int); !w.panics && (!ok || w.begun[n].Kind != op.Kind) {
		r.Err = fmt.Errorf("the end of %s has the context of another operation", op.Kind)
	}
	w.ended = append(w.ended, told{op, r})
	select {
	case w.changed <- struct{}{}:
	default:
	}
	if w.panics {
		panic("this observer panics")
	}
}

// all waits until every operation that has begun has ended, and returns flushes
// apart from the rest, which are in the order of their ends.
func (w *witness) all(f *fixture) (rest, flushes []told) {
	f.Helper()
	for {
		w.mu.Lock()
		begun, all := len(w.begun), slices.Clone(w.ended)
		w.mu.Unlock()
		if begun == len(all) {
			for _, e := range all {
				if e.Op.Kind == store.OperationFlush {
					flushes = append(flushes, e)
				} else {
					rest = append(rest, e)
				}
			}
			return rest, flushes
		}
		select {
		case <-w.changed:
		case <-f.ctx.Done():
			f.Fatalf("told of %d beginnings and %d ends", begun, len(all))
		}
	}
}

// observed replaces the fixture's store by one that tells w.
func (f *fixture) observed(w *witness) {
	f.Helper()
	if f.setup.Observed == nil {
		f.Skip("the setup has no Observed")
	}
	f.store = f.setup.Observed(f, w)
}

func observeCases() []contractCase {
	return []contractCase{
		{name: "the trace of the context is kept in metadata", run: func(f *fixture) {
			traced := event(1)
			traced.Metadata = store.Metadata(`{"by":"ada"}`)
			own := event(2)
			own.Metadata = store.Metadata(`{"traceparent":"own"}`)
			ctx := store.WithTrace(f.ctx, traceParent, "a=b")
			if _, err := f.store.Append(ctx, batch("bank-1", store.NoStream, traced, own, event(3))); err != nil {
				f.Fatal(err)
			}
			got := make([][3]string, 0, 3)
			for _, r := range f.exactly(3, "bank-1") {
				got = append(got, [3]string{r.Metadata.Get(store.MetaTraceParent), r.Metadata.Get(store.MetaTraceState), r.Metadata.Get("by")})
			}
			f.equal("traces", [][3]string{{traceParent, "a=b", "ada"}, {"own", "", ""}, {traceParent, "a=b", ""}}, got)
		}},
		{name: "an observer is told of every operation", run: func(f *fixture) {
			w := newWitness()
			f.observed(w)
			var want []told
			expect := func(kind store.OperationKind, stream string, events int, r store.Result) {
				op := store.Operation{Kind: kind, Stream: stream, Events: events}
				if events > 0 {
					op.Streams = 1
				}
				want = append(want, told{op, r})
			}
			expectRead := func(n int, q store.Query, err error) {
				op := store.Operation{Kind: store.OperationRead, Stream: q.Stream, Categories: q.Categories}
				if q.Stream == "" && q.Categories == nil {
					op.Stream = store.All
				}
				want = append(want, told{op, store.Result{Events: n, Err: err}})
			}

			given := batch("bank-1", store.NoStream, events(3)...)
			for i := range given.Events {
				given.Events[i].ID = uuid.New()
			}
			a := f.appendAll(given)[0]
			expect(store.OperationAppend, "bank-1", 3, store.Result{Events: 3, Version: a.Version, Position: a.Last})
			a = f.appendAll(given)[0]
			expect(store.OperationAppend, "bank-1", 3, store.Result{Events: 3, Version: a.Version, Position: a.Last, Duplicate: true})
			_, err := f.store.Append(f.ctx, batch("bank-1", 7, event(1)))
			expect(store.OperationAppend, "bank-1", 1, store.Result{Err: err})
			_, err = f.store.Append(f.ctx, batch("", store.Any, event(1)))
			expect(store.OperationAppend, "", 1, store.Result{Err: err})

			for _, r := range f.exactly(3, "bank-1") { // that the operation had the context of Begin
				f.equal("trace", traceParent, r.Metadata.Get(store.MetaTraceParent))
			}
			expectRead(3, store.Query{Stream: "bank-1"}, nil)
			for _, err := range f.store.Read(f.ctx, store.Query{}) {
				if err != nil {
					f.Fatal(err)
				}
				break
			}
			expectRead(1, store.Query{}, nil)
			category := store.Query{Categories: []string{"bank"}}
			f.read(category)
			expectRead(3, category, nil)
			missing := store.Query{Stream: "bank-2"}
			_, err = collect(f.ctx, f.store, missing)
			expectRead(0, missing, err)
			f.store.Read(f.ctx, store.Query{}) // no loop, no read

			if linker, ok := f.store.(store.Linker); ok {
				linked, err := linker.Link(f.ctx, "report-1", store.Any, given.Events[0].ID, given.Events[2].ID)
				if err != nil {
					f.Fatal(err)
				}
				expect(store.OperationLink, "report-1", 2, store.Result{Events: 2, Version: linked.Version})
				_, err = linker.Link(f.ctx, "report-1", store.NoStream, given.Events[1].ID)
				expect(store.OperationLink, "report-1", 1, store.Result{Err: err})
			}
			if deleter, ok := f.store.(store.Deleter); ok {
				expect(store.OperationTruncate, "bank-1", 0, store.Result{Err: deleter.Truncate(f.ctx, "bank-1", 2, store.Soft)})
				expect(store.OperationDelete, "bank-1", 0, store.Result{Err: deleter.Delete(f.ctx, "bank-1", 9, store.Soft)})
				expect(store.OperationDelete, "bank-1", 0, store.Result{Err: deleter.Delete(f.ctx, "bank-1", store.Any, store.Soft)})
				expect(store.OperationUndelete, "bank-1", 0, store.Result{Err: deleter.Undelete(f.ctx, "bank-1")})
			}
			if keeper, ok := f.store.(store.Snapshots); ok {
				_, err := keeper.LoadSnapshot(f.ctx, "bank-1")
				expect(store.OperationLoadSnapshot, "bank-1", 0, store.Result{Err: err})
				if !errors.Is(err, store.ErrSnapshotNotFound) {
					f.Errorf("a snapshot that is not there: %v", err)
				}
				expect(store.OperationSaveSnapshot, "bank-1", 0, store.Result{Err: keeper.SaveSnapshot(f.ctx, snapshot("bank-1", 2))})
				sn, err := keeper.LoadSnapshot(f.ctx, "bank-1")
				expect(store.OperationLoadSnapshot, "bank-1", 0, store.Result{Err: err})
				f.equal("version", store.Version(2), sn.Version)
				expect(store.OperationDeleteSnapshot, "bank-1", 0, store.Result{Err: keeper.DeleteSnapshot(f.ctx, "bank-1")})
				expect(store.OperationSaveSnapshot, "", 0, store.Result{Err: keeper.SaveSnapshot(f.ctx, store.Snapshot{})})
			}
			if f.store.Capabilities().Has(store.SeveralStreams) {
				all := f.appendAll(batch("bank-3", store.Any, event(1), event(2)), batch("bank-4", store.Any, event(3)))
				expect(store.OperationAppend, "bank-3", 3, store.Result{Events: 3, Version: all[0].Version, Position: all[1].Last})
				want[len(want)-1].Op.Streams = 2
			}
			got, _ := w.all(f)
			f.sameTold(want, got)
		}},
		{name: "flushes tell of the appends that they send", run: func(f *fixture) {
			const writers = 20
			w := newWitness()
			f.observed(w)
			var wg sync.WaitGroup
			for i := range writers {
				wg.Go(func() {
					if _, err := appendOne(f.ctx, f.store, batch(fmt.Sprintf("bank-%d", i), store.NoStream, event(1), event(2))); err != nil {
						f.Error(err)
					}
				})
			}
			wg.Wait()
			rest, flushes := w.all(f)
			if len(rest) != writers {
				f.Errorf("told of %d appends, want %d", len(rest), writers)
			}
			if len(flushes) == 0 {
				return // a store without group commit
			}
			w.mu.Lock()
			defer w.mu.Unlock()
			sent := make(map[any]int)
			for _, op := range w.begun {
				if op.Kind != store.OperationFlush {
					continue
				}
				// These appends are alike, so the numbers follow from how many there are.
				n := len(op.Appends)
				if n == 0 || op.Streams != n || op.Events != 2*n {
					f.Errorf("a flush of %d appends with %d streams and %d events, want as many streams and twice the events", n, op.Streams, op.Events)
				}
				for _, a := range op.Appends {
					sent[a.Context.Value(begunKey{})]++
					if a.For < 0 || a.For > caseTimeout {
						f.Errorf("an append waited for %s", a.For)
					}
				}
			}
			for n, op := range w.begun {
				if op.Kind == store.OperationAppend && sent[n] == 0 {
					f.Errorf("no flush has told of the append to %s", op.Stream)
				}
				if op.Kind == store.OperationAppend {
					delete(sent, n)
				}
			}
			if len(sent) > 0 {
				f.Errorf("flushes told of contexts that are those of no append: %v", sent)
			}
		}},
		{name: "an observer that panics breaks nothing", run: func(f *fixture) {
			w := newWitness()
			w.panics = true
			f.observed(w)
			f.append("bank-1", store.NoStream, events(3)...)
			f.exactly(3, "bank-1")
			if got, _ := w.all(f); len(got) != 2 {
				f.Errorf("told of %d operations, want 2", len(got))
			}
		}},
	}
}

// sameTold compares what was told but for what differs between stores and runs,
// which it only checks.
func (f *fixture) sameTold(want, got []told) {
	f.Helper()
	if len(want) != len(got) {
		f.Errorf("told of %d operations, want %d", len(got), len(want))
	}
	for i := range min(len(want), len(got)) {
		g, result := got[i].Op, got[i].Result
		if g.System == "" || g.System != got[0].Op.System || g.Store != got[0].Op.Store {
			f.Errorf("operation %d is of system %q and store %q, the first of %q and %q", i, g.System, g.Store, got[0].Op.System, got[0].Op.Store)
		}
		if result.Duration <= 0 || result.Duration > caseTimeout {
			f.Errorf("operation %d, %s, took %s", i, g.Kind, result.Duration)
		}
		if fmt.Sprint(want[i].Result.Err) != fmt.Sprint(result.Err) {
			f.Errorf("operation %d, %s, ended with %v, want %v", i, g.Kind, result.Err, want[i].Result.Err)
		}
		g.System, g.Store = "", ""
		result.Duration, result.HeadWait, result.Err, want[i].Result.Err = 0, 0, nil, nil
		f.equal(fmt.Sprintf("operation %d", i), want[i], told{g, result})
	}
}
