package esotel_test

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/esgen/esgen/runtime/esotel"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
)

type attributes = map[attribute.Key]any

func TestSpansOfAStore(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	c := collect(esotel.Config{})
	db := memory.New(memory.Config{Observer: c})
	again := batch("bank-1", store.NoStream, 2)
	for i := range again.Events {
		again.Events[i].ID[0] = byte(i + 1)
	}
	for range 2 {
		if _, err := db.Append(ctx, again, batch("cards-1", store.Any, 1)); err != nil && !errors.Is(err, store.ErrDuplicateEvent) {
			t.Fatal(err)
		}
	}
	if a, err := db.Append(ctx, again); err != nil || !a[0].Duplicate {
		t.Fatalf("append again: %+v, %v", a, err)
	}
	if _, err := db.Append(ctx, batch("bank-1", 7, 1)); !errors.Is(err, store.ErrConflict) {
		t.Fatal(err)
	}
	for range db.Read(ctx, store.Query{Categories: []string{"bank", "cards"}}) {
	}
	for range db.Read(ctx, store.Query{}) {
		break
	}
	for range db.Read(ctx, store.Query{Stream: "bank-2"}) {
	}
	if _, err := db.Link(ctx, "report", store.Any, again.Events[0].ID); err != nil {
		t.Fatal(err)
	}
	if err := db.Delete(ctx, "bank-1", store.Any, store.Hard); !errors.Is(err, store.ErrNotEnabled) {
		t.Fatal(err)
	}

	with := func(op string, more attributes) attributes {
		all := attributes{"db.system.name": "memory", "db.operation.name": op}
		maps.Copy(all, more)
		return all
	}
	show := func(op, status string, more attributes) shown {
		return shown{op + " memory", "internal", status, with(op, more)}
	}
	several := attributes{"db.collection.name": "bank", "esgen.stream.name": "bank-1", "esgen.stream.count": int64(2), "esgen.event.count": int64(3)}
	stored, refused := maps.Clone(several), maps.Clone(several)
	maps.Copy(stored, attributes{"esgen.outcome": "ok", "esgen.stream.version": int64(2), "esgen.event.position": int64(3)})
	refused["esgen.outcome"] = "duplicate_event"
	c.check(t,
		show("append", "Unset", stored),
		show("append", "Unset", refused),
		show("append", "Unset", attributes{
			"db.collection.name": "bank", "esgen.stream.name": "bank-1", "esgen.event.count": int64(2),
			"esgen.outcome": "duplicate", "esgen.stream.version": int64(2), "esgen.event.position": int64(2),
		}),
		show("append", "Unset", attributes{
			"db.collection.name": "bank", "esgen.stream.name": "bank-1", "esgen.event.count": int64(1),
			"esgen.outcome": "conflict", "esgen.version.expected": int64(7), "esgen.version.actual": int64(2),
		}),
		show("read", "Unset", attributes{"db.collection.name": "bank,cards", "esgen.event.count": int64(3), "esgen.outcome": "ok"}),
		show("read", "Unset", attributes{"esgen.stream.name": "$all", "esgen.event.count": int64(1), "esgen.outcome": "ok"}),
		show("read", "Unset", attributes{"db.collection.name": "bank", "esgen.stream.name": "bank-2", "esgen.event.count": int64(0), "esgen.outcome": "not_found"}),
		show("link", "Unset", attributes{"esgen.stream.name": "report", "esgen.event.count": int64(1), "esgen.outcome": "ok", "esgen.stream.version": int64(1)}),
		show("delete", "Error: delete bank-1 hard: not enabled: set HardDeletes in the memory store's Config", attributes{
			"db.collection.name": "bank", "esgen.stream.name": "bank-1", "esgen.event.count": int64(0), "esgen.outcome": "error", "error.type": "not_enabled",
		}),
	)
}

type serverError struct{}

func (serverError) Error() string    { return "too many connections" }
func (serverError) SQLState() string { return "53300" }

func TestSpanOfADatabase(t *testing.T) {
	t.Parallel()
	c := collect(esotel.Config{Categories: true})
	o := store.Observe(c, "postgresql", "shop|esgen", nil).InTx()
	_, _ = o.Append(t.Context(), []store.Batch{batch("bank-1", store.Any, 1)}, func(context.Context) ([]store.Appended, error) {
		return nil, &store.UnavailableError{Op: "append to bank-1", Err: serverError{}}
	})
	// A name that no store takes must do no harm on its way to the error.
	_, _ = o.Append(t.Context(), []store.Batch{batch("bank\xff-"+strings.Repeat("x", 1<<20), store.Any, 1)}, func(context.Context) ([]store.Appended, error) {
		return nil, &store.InvalidError{What: "stream name", Reason: "not \xff UTF-8"}
	})
	c.check(t,
		shown{"append bank", "client", "Error: append to bank-1: database unavailable: too many connections", attributes{
			"db.system.name": "postgresql", "db.namespace": "shop|esgen", "db.operation.name": "append", "db.collection.name": "bank",
			"esgen.stream.name": "bank-1", "esgen.event.count": int64(1), "esgen.in_tx": true,
			"esgen.outcome": "error", "error.type": "unavailable", "db.response.status_code": "53300",
		}},
		shown{"append shop|esgen", "client", "Error: stream name: not \uFFFD UTF-8", attributes{
			"db.system.name": "postgresql", "db.namespace": "shop|esgen", "db.operation.name": "append",
			"esgen.stream.name": "bank\uFFFD-" + strings.Repeat("x", 1018), "esgen.event.count": int64(1), "esgen.in_tx": true,
			"esgen.outcome": "error", "error.type": "invalid",
		}},
	)
}

// A read's span is the child of the caller's, and begins and ends with the loop.
func TestSpanOfAReadCoversTheLoop(t *testing.T) {
	t.Parallel()
	c := collect(esotel.Config{})
	db := memory.New(memory.Config{Observer: c})
	if _, err := db.Append(t.Context(), batch("bank-1", store.Any, 2)); err != nil {
		t.Fatal(err)
	}
	ctx, caller := c.tracers.Tracer("test").Start(t.Context(), "caller")
	events := db.Read(ctx, store.Query{})
	begun := func() int { return len(c.spans.Started()) }
	if n := begun(); n != 2 {
		t.Errorf("%d spans before the loop, want those of the append and the caller", n)
	}
	for range events {
		if begun() != 3 || len(c.spans.Ended()) != 1 {
			t.Errorf("in the loop %d spans have begun and %d ended, want 3 and 1", begun(), len(c.spans.Ended()))
		}
	}
	ended := c.spans.Ended()
	if len(ended) != 2 || ended[1].Parent().SpanID() != caller.SpanContext().SpanID() {
		t.Errorf("%d spans ended after the loop, want 2, the second the caller's child", len(ended))
	}
	caller.End()
}

// flushed tells of appends that a flush carries, n of them in spans of their own.
func flushed(ctx context.Context, o *store.Observed, n int, err error) {
	queue, appends := make([]store.Queued, 0, n), make([]store.Observation, 0, n)
	for range n {
		within, call := o.Begin(ctx, store.Operation{Kind: store.OperationAppend, Stream: "bank-1", Streams: 1, Events: 1})
		queue = append(queue, store.Queued{Context: within, For: 250 * time.Millisecond})
		appends = append(appends, call)
	}
	within, flush := o.Begin(context.Background(), store.Operation{Kind: store.OperationFlush, Streams: n, Events: n, Appends: queue})
	_, driver := trace.SpanFromContext(within).TracerProvider().Tracer("driver").Start(within, "BEGIN") //nolint:contextcheck // a flush is nobody's
	driver.End()
	flush.End(store.Result{Err: err, HeadWait: 500 * time.Millisecond})
	for _, a := range appends {
		a.End(store.Result{Events: 1})
	}
}

func TestSpanOfAFlush(t *testing.T) {
	t.Parallel()
	down := &store.UnavailableError{Op: "flush", Err: errors.New("down")}
	for n, want := range map[int]shown{
		1: {"flush esgen", "client", "Unset", attributes{
			"db.system.name": "postgresql", "db.namespace": "esgen", "db.operation.name": "flush",
			"esgen.event.count": int64(1), "esgen.head.wait.duration": 0.5, "esgen.outcome": "ok",
		}},
		3: {"flush esgen", "client", "Error: flush: database unavailable: down", attributes{
			"db.system.name": "postgresql", "db.namespace": "esgen", "db.operation.name": "flush", "db.operation.batch.size": int64(3),
			"esgen.stream.count": int64(3), "esgen.event.count": int64(3), "esgen.head.wait.duration": 0.5,
			"esgen.outcome": "error", "error.type": "unavailable",
		}},
	} {
		c := collect(esotel.Config{})
		var err error
		if n > 1 {
			err = down
		}
		flushed(t.Context(), store.Observe(c, "postgresql", "esgen", nil), n, err)
		all := c.spans.Ended()
		if len(all) != n+2 {
			t.Fatalf("%d spans, want the driver's, the flush's and %d", len(all), n)
		}
		driver, flush, appends := all[0], all[1], all[2:]
		got := c.shown()
		if diff := diff(want, got[1]); diff != "" {
			t.Errorf("flush of %d (-want +got):\n%s", n, diff)
		}
		if driver.Parent().SpanID() != flush.SpanContext().SpanID() {
			t.Error("what the driver does is not the flush's child")
		}
		for i, a := range appends {
			if got[i+2].Attributes["esgen.queue.wait.duration"] != 0.25 {
				t.Errorf("append %d does not tell how long it waited: %v", i, got[i+2].Attributes)
			}
			alone := n == 1 && flush.Parent().SpanID() == a.SpanContext().SpanID() && len(flush.Links()) == 0
			linked := n > 1 && !flush.Parent().IsValid() && len(flush.Links()) == n && flush.Links()[i].SpanContext.SpanID() == a.SpanContext().SpanID()
			if !alone && !linked {
				t.Errorf("flush of %d belongs to %s and links to %d", n, flush.Parent().SpanID(), len(flush.Links()))
			}
		}
	}
}

// Nobody looks at appends that are not sampled, so nobody looks at their flush.
func TestNoSpanOfAFlushThatIsNotSampled(t *testing.T) {
	t.Parallel()
	c := collect(esotel.Config{}, sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.AlwaysSample())))
	unsampled := trace.ContextWithSpanContext(t.Context(), trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{1}}))
	o := store.Observe(c, "postgresql", "esgen", nil)
	flushed(unsampled, o, 1, nil)
	flushed(unsampled, o, 3, nil)
	_, flush := o.Begin(t.Context(), store.Operation{Kind: store.OperationFlush})
	flush.End(store.Result{})
	c.check(t)
	for _, m := range c.measured(t) {
		if m.Metric == "esgen.flush.appends" && m.Count == 3 && m.Sum == 4 {
			return
		}
	}
	t.Errorf("measured %+v, want 4 appends in 3 flushes all the same", c.measured(t))
}

// Without a tracer there is no span of ours, and the caller's is left alone.
func TestMetricsAloneLeaveSpansAlone(t *testing.T) {
	t.Parallel()
	c := collect(esotel.Config{})
	ctx, span := c.tracers.Tracer("test").Start(t.Context(), "caller")
	metrics := esotel.New(esotel.Config{TracerProvider: noop.NewTracerProvider(), TraceEvents: true})
	db := memory.New(memory.Config{Observer: metrics})
	if _, err := db.Append(ctx, batch("bank-1", store.Any, 1)); err != nil {
		t.Fatal(err)
	}
	flushed(ctx, store.Observe(metrics, "postgresql", "esgen", nil), 1, nil)
	for r := range db.Read(ctx, store.Query{}) {
		if got := esotel.SpanContext(r.Metadata); got.SpanID() != span.SpanContext().SpanID() {
			t.Errorf("the event is of %+v, want the caller's span %+v", got, span.SpanContext())
		}
	}
	if !span.IsRecording() || len(c.spans.Started()) != 1 {
		t.Errorf("%d spans, the caller's recording %t", len(c.spans.Started()), span.IsRecording())
	}
	span.End()
}

// A flush that was not given a span must not end one that its goroutine works in.
func TestFlushEndsNoSpanButItsOwn(t *testing.T) {
	t.Parallel()
	c := collect(esotel.Config{})
	o := store.Observe(c, "postgresql", "esgen", nil)
	ctx, span := c.tracers.Tracer("test").Start(t.Context(), "flusher")
	_, flush := o.Begin(ctx, store.Operation{Kind: store.OperationFlush})
	flush.End(store.Result{})
	if !span.IsRecording() {
		t.Error("the flush ended the span of the context that it was begun in")
	}
	span.End()
}
