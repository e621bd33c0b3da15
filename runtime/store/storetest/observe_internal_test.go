package storetest

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
)

// distorted passes on what a sound store tells, with a defect: what a store would
// tell that has it.
type distorted struct {
	store.Observer
	silent store.OperationKind // it tells nothing of these
	begin  func(store.Operation) store.Operation
	result func(store.Operation, store.Result) store.Result
	// ignores: the context of Begin is not used.
	ignores bool
	flushes func(o store.Observer, of context.Context)
}

func (d *distorted) Begin(ctx context.Context, op store.Operation) context.Context {
	if op.Kind == d.silent {
		return ctx
	}
	if d.begin != nil {
		op = d.begin(op)
	}
	within := d.Observer.Begin(ctx, op)
	if d.flushes != nil && op.Kind == store.OperationAppend {
		d.flushes(d.Observer, within)
	}
	if d.ignores {
		return context.WithValue(ctx, begunKey{}, within.Value(begunKey{}))
	}
	return within
}

func (d *distorted) End(ctx context.Context, op store.Operation, r store.Result) {
	if op.Kind == d.silent {
		return
	}
	if d.begin != nil {
		op = d.begin(op)
	}
	if d.result != nil {
		r = d.result(op, r)
	}
	d.Observer.End(ctx, op, r)
}

// flushing tells of a flush with each append.
func flushing(appends int, of func(context.Context) context.Context) func(store.Observer, context.Context) {
	return func(o store.Observer, ctx context.Context) {
		op := store.Operation{Kind: store.OperationFlush, System: "memory", Streams: 1, Events: 2}
		for range appends {
			op.Appends = append(op.Appends, store.Queued{Context: of(ctx)})
		}
		o.End(o.Begin(ctx, op), op, store.Result{Duration: time.Microsecond})
	}
}

func TestCasesSeeWhatIsToldWrong(t *testing.T) {
	t.Parallel()
	same := func(ctx context.Context) context.Context { return ctx }
	for name, c := range map[string]struct {
		case_  string
		defect distorted
		sound  bool
	}{
		"nothing":                   {"told of every operation", distorted{}, true},
		"reads untold":              {"told of every operation", distorted{silent: store.OperationRead}, false},
		"undeletes untold":          {"told of every operation", distorted{silent: store.OperationUndelete}, false},
		"context unused":            {"told of every operation", distorted{ignores: true}, false},
		"no system":                 {"told of every operation", distorted{begin: func(op store.Operation) store.Operation { op.System = ""; return op }}, false},
		"streams uncounted":         {"told of every operation", distorted{begin: func(op store.Operation) store.Operation { op.Streams = 0; return op }}, false},
		"duplicates taken as new":   {"told of every operation", distorted{result: func(_ store.Operation, r store.Result) store.Result { r.Duplicate = false; return r }}, false},
		"errors hidden":             {"told of every operation", distorted{result: func(_ store.Operation, r store.Result) store.Result { r.Err = nil; return r }}, false},
		"no duration":               {"told of every operation", distorted{result: func(_ store.Operation, r store.Result) store.Result { r.Duration = 0; return r }}, false},
		"sound flushes":             {"flushes tell", distorted{flushes: flushing(1, same)}, true},
		"flushes of nothing":        {"flushes tell", distorted{flushes: flushing(0, same)}, false},
		"flushes count wrong":       {"flushes tell", distorted{flushes: flushing(2, same)}, false},
		"flushes of other contexts": {"flushes tell", distorted{flushes: flushing(1, context.WithoutCancel)}, true},
		"flushes of no append":      {"flushes tell", distorted{flushes: flushing(1, func(context.Context) context.Context { return context.Background() })}, false},
		"appends untold":            {"panics breaks nothing", distorted{silent: store.OperationAppend}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			setup := Setup{
				Open: func(testing.TB) store.Store { return memory.New(memory.Config{}) },
				Observed: func(_ testing.TB, o store.Observer) store.Store {
					d := c.defect
					d.Observer = o
					return memory.New(memory.Config{Observer: &d})
				},
			}
			found := false
			for _, one := range observeCases() {
				if !strings.Contains(one.name, c.case_) {
					continue
				}
				found = true
				if said, failed := record(t, one, setup); failed == c.sound {
					t.Errorf("failed %t, want %t; the case said:\n%s", failed, !c.sound, said)
				}
			}
			if !found {
				t.Errorf("no case %q", c.case_)
			}
		})
	}
}
