package store_test

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
)

type told struct {
	Op     store.Operation
	Result store.Result
}

// witness keeps what it is told, and breaks as it is asked to.
type witness struct {
	mu              sync.Mutex
	began, ended    []told
	panics, forgets bool
}

type begunKey struct{}

func (w *witness) Begin(ctx context.Context, op store.Operation) context.Context {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.began = append(w.began, told{Op: op})
	if w.panics {
		panic("no begin")
	}
	if w.forgets {
		return nil
	}
	return context.WithValue(ctx, begunKey{}, string(op.Kind))
}

func (w *witness) End(ctx context.Context, op store.Operation, r store.Result) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = append(w.ended, told{Op: op, Result: r})
	if w.panics {
		panic("no end")
	}
	if want := string(op.Kind); !w.forgets && ctx.Value(begunKey{}) != want {
		w.ended[len(w.ended)-1].Op.Store = "not the context of Begin"
	}
}

func (w *witness) check(t *testing.T, want ...told) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.began) != len(w.ended) {
		t.Errorf("told of %d beginnings and %d ends", len(w.began), len(w.ended))
	}
	if diff := cmp.Diff(want, w.ended, cmpopts.EquateErrors(), cmpopts.IgnoreFields(store.Result{}, "Duration")); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	for _, e := range w.ended {
		if e.Result.Duration <= 0 {
			t.Errorf("%s took %s", e.Op.Kind, e.Result.Duration)
		}
	}
}

var two = []store.Batch{{Stream: "bank-1", Events: make([]store.Event, 2)}, {Stream: "bank-2", Events: make([]store.Event, 1)}}

func TestObservedTellsOfAppends(t *testing.T) {
	t.Parallel()
	w := &witness{}
	o := store.Observe(w, "postgresql", "esgen", nil)
	conflict := &store.ConflictError{Stream: "bank-1"}
	op := store.Operation{Kind: store.OperationAppend, System: "postgresql", Store: "esgen", Stream: "bank-1", Streams: 2, Events: 3}
	inTx := op
	inTx.InTx = true
	want := make([]told, 0, 4)
	for _, c := range []struct {
		o        *store.Observed
		appended []store.Appended
		err      error
		want     told
	}{
		{o, []store.Appended{{Version: 7, First: 10, Last: 11}, {Version: 3, First: 12, Last: 12}}, nil, told{op, store.Result{Events: 3, Version: 7, Position: 12}}},
		{o, []store.Appended{{Version: 7, Last: 11, Duplicate: true}, {Version: 3, Last: 12, Duplicate: true}}, nil, told{op, store.Result{Events: 3, Version: 7, Position: 12, Duplicate: true}}},
		{o, nil, conflict, told{op, store.Result{Err: conflict}}},
		{o.InTx(), []store.Appended{{Version: 2}, {Version: 1}}, nil, told{inTx, store.Result{Events: 3, Version: 2}}},
	} {
		got, err := c.o.Append(t.Context(), two, func(ctx context.Context) ([]store.Appended, error) {
			if ctx.Value(begunKey{}) != "append" {
				t.Error("the append did not get the context of Begin")
			}
			return c.appended, c.err
		})
		if diff := cmp.Diff(c.appended, got); diff != "" || !errors.Is(err, c.err) {
			t.Errorf("answered %v (-want +got):\n%s", err, diff)
		}
		want = append(want, c.want)
	}
	w.check(t, want...)
}

// read is how a store reads, with an observer or without.
func read(ctx context.Context, o *store.Observed, q store.Query, n int, failure error) iter.Seq2[store.Recorded, error] {
	return func(yield func(store.Recorded, error) bool) {
		if o == nil {
			readAll(n, failure, yield)
			return
		}
		_, reading := o.Read(ctx, q)
		defer reading.End()
		readAll(n, failure, func(r store.Recorded, err error) bool {
			reading.Yield(err)
			return yield(r, err)
		})
	}
}

func readAll(n int, failure error, yield func(store.Recorded, error) bool) {
	for i := range n {
		if !yield(store.Recorded{Version: store.Version(i + 1)}, nil) {
			return
		}
	}
	if failure != nil {
		yield(store.Recorded{}, failure)
	}
}

func TestObservedTellsOfEachLoopOverARead(t *testing.T) {
	t.Parallel()
	w := &witness{}
	o := store.Observe(w, "memory", "", nil)
	all := store.Operation{Kind: store.OperationRead, System: "memory", Stream: store.All}
	stream, category := all, all
	stream.Stream = "bank-1"
	category.Stream, category.Categories = "", []string{"bank"}

	twice := read(t.Context(), o, store.Query{}, 3, nil)
	w.check(t) // not before the loop
	for range 2 {
		n := store.Version(0)
		for r, err := range twice {
			if n++; err != nil || r.Version != n {
				t.Errorf("read %+v, %v", r, err)
			}
		}
	}
	for range read(t.Context(), o, store.Query{Stream: "bank-1"}, 3, nil) {
		break
	}
	down := &store.UnavailableError{Op: "read", Err: errors.New("down")}
	for _, err := range read(t.Context(), o, store.Query{Categories: []string{"bank"}}, 2, down) {
		if err != nil && !errors.Is(err, down) {
			t.Error(err)
		}
	}
	func() {
		defer func() { _ = recover() }()
		for range read(t.Context(), o, store.Query{}, 3, nil) {
			panic("the loop's body")
		}
	}()
	w.check(t,
		told{all, store.Result{Events: 3}}, told{all, store.Result{Events: 3}},
		told{stream, store.Result{Events: 1}},
		told{category, store.Result{Events: 2, Err: down}},
		told{all, store.Result{Events: 1}},
	)
}

func TestObservedTellsOfWhateverElse(t *testing.T) {
	t.Parallel()
	w := &witness{}
	o := store.Observe(w, "postgresql", "esgen", nil)
	op := func(kind store.OperationKind) store.Operation {
		return store.Operation{Kind: kind, System: "postgresql", Store: "esgen", Stream: "bank-1"}
	}
	missing := &store.StreamNotFoundError{Stream: "bank-1"}
	if err := o.Do(t.Context(), store.OperationDelete, "bank-1", func(context.Context) error { return missing }); !errors.Is(err, missing) {
		t.Error(err)
	}
	ids := make([]uuid.UUID, 2)
	for _, err := range []error{nil, missing} {
		linked, got := o.Link(t.Context(), "bank-1", ids, func(context.Context) (store.Appended, error) { return store.Appended{Version: 5}, err })
		if linked.Version != 5 || !errors.Is(got, err) {
			t.Errorf("linked %+v, %v", linked, got)
		}
	}
	links := op(store.OperationLink)
	links.Streams, links.Events = 1, 2
	appends := []store.Queued{{Context: t.Context(), For: time.Second}}
	_, flush := o.Begin(t.Context(), store.Operation{Kind: store.OperationFlush, Events: 2, Appends: appends})
	flush.End(store.Result{HeadWait: time.Millisecond})
	if diff := cmp.Diff(appends, w.began[3].Op.Appends, cmpopts.IgnoreFields(store.Queued{}, "Context")); diff != "" {
		t.Errorf("the flush begins with (-want +got):\n%s", diff)
	}
	w.check(t,
		told{op(store.OperationDelete), store.Result{Err: missing}},
		told{links, store.Result{Events: 2, Version: 5}},
		told{links, store.Result{Err: missing}},
		told{store.Operation{Kind: store.OperationFlush, System: "postgresql", Store: "esgen", Events: 2}, store.Result{HeadWait: time.Millisecond}},
	)
}

func TestBrokenObserverBreaksNothing(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	for _, w := range []*witness{{panics: true}, {forgets: true}} {
		o := store.Observe(w, "memory", "", slog.New(slog.NewTextHandler(&log, nil)))
		for range 2 {
			got, err := o.Append(t.Context(), two, func(ctx context.Context) ([]store.Appended, error) {
				return []store.Appended{{Version: 1}}, ctx.Err()
			})
			if err != nil || len(got) != 1 {
				t.Errorf("append: %v, %v", got, err)
			}
			n := 0
			for _, err := range read(t.Context(), o, store.Query{}, 3, nil) {
				if n++; err != nil {
					t.Error(err)
				}
			}
			if n != 3 {
				t.Errorf("read %d events", n)
			}
		}
		if len(w.began) != 4 || len(w.ended) != 4 {
			t.Errorf("told of %d beginnings and %d ends, want 4", len(w.began), len(w.ended))
		}
	}
	if got := log.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "*store_test.witness") || !strings.Contains(got, "no begin") {
		t.Errorf("logged, want one line with the observer and its panic:\n%s", got)
	}
}

// A store that panics has stored nothing that it knows of, and its panic goes on.
func TestPanicOfAStoreIsToldAndGoesOn(t *testing.T) {
	t.Parallel()
	w := &witness{}
	o := store.Observe(w, "memory", "", nil)
	func() {
		defer func() {
			if recover() != "broken" {
				t.Error("the panic is gone")
			}
		}()
		_, _ = o.Append(t.Context(), two, func(context.Context) ([]store.Appended, error) { panic("broken") })
	}()
	if len(w.ended) != 1 || w.ended[0].Result.Err == nil {
		t.Errorf("told of %+v, want an error", w.ended)
	}
}

func TestNoObserverCostsNothing(t *testing.T) { // AllocsPerRun counts what others allocate, so not in parallel
	o := store.Observe(nil, "memory", "", nil)
	if o != nil || o.InTx() != nil {
		t.Fatal("something is told of nothing")
	}
	ctx, answer := t.Context(), []store.Appended{{}}
	for name, f := range map[string]func(){
		"append": func() {
			_, _ = o.Append(ctx, two, func(context.Context) ([]store.Appended, error) { return answer, nil })
		},
		"do": func() {
			_ = o.Do(ctx, store.OperationDelete, "bank-1", func(context.Context) error { return nil })
		},
		"link": func() {
			_, _ = o.Link(ctx, "bank-1", nil, func(context.Context) (store.Appended, error) { return answer[0], nil })
		},
		"begin": func() {
			_, call := o.Begin(ctx, store.Operation{Kind: store.OperationFlush})
			call.End(store.Result{})
		},
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
	n := testing.AllocsPerRun(100, func() {
		for _, err := range read(ctx, o, store.Query{}, 3, nil) {
			if err != nil {
				t.Error(err)
			}
		}
	})
	if n != 0 {
		t.Errorf("a read allocates %v times", n)
	}
}
