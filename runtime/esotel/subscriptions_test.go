package esotel_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"testing"
	"time"

	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/esgen/esgen/runtime/esotel"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
	"github.com/esgen/esgen/runtime/subscribe"
)

// handled tells that events were handled.
func (c collected) handled(ctx context.Context, kind subscribe.HandlingKind, attempt int, err error, events ...store.Recorded) {
	h := subscribe.Handling{Kind: kind, Subscription: "balances", Lane: 2, Events: events, Count: len(events), Attempt: attempt}
	ctx = c.handlings.Begin(ctx, h)
	h.Events = nil
	c.handlings.End(ctx, h, subscribe.Handled{Err: err, Duration: 2 * time.Millisecond})
}

func TestSpansOfHandlersAreLinkedToTheAppends(t *testing.T) {
	t.Parallel()
	c := collect(esotel.Config{TraceEvents: true})
	db := memory.New(memory.Config{Observer: c})
	for _, stream := range []string{"bank-1", "bank-2"} {
		if _, err := db.Append(t.Context(), batch(stream, store.NoStream, 2)); err != nil {
			t.Fatal(err)
		}
	}
	var events []store.Recorded
	for r, err := range db.Read(t.Context(), store.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, r)
	}
	appends := map[string]trace.SpanContext{}
	for _, s := range c.spans.Ended() {
		for _, a := range s.Attributes() {
			if a.Key == "esgen.stream.name" && s.Name() == "append memory" {
				appends[a.Value.AsString()] = s.SpanContext()
			}
		}
	}
	c.spans.Reset()

	outer, span := c.tracers.Tracer("program").Start(t.Context(), "main")
	c.handled(outer, subscribe.HandlingEvent, 1, nil, events[1])
	c.handled(outer, subscribe.HandlingBatch, 3, store.ErrConflict, events...)
	c.handled(outer, subscribe.HandlingEvent, 1, nil, store.Recorded{Stream: "bank-3", Type: "x"})
	ended := c.spans.Ended()
	span.End()

	show := func(n int, status string, more attributes) shown {
		all := attributes{
			"messaging.system": "esgen", "messaging.operation.type": "process", "messaging.operation.name": "process",
			"esgen.subscription.name": "balances", "esgen.subscription.lane": int64(2), "esgen.event.count": int64(n),
		}
		maps.Copy(all, more)
		return shown{"process balances", "consumer", status, all}
	}
	one := func(e store.Recorded) attributes {
		return attributes{
			"esgen.handling.kind": "event", "esgen.handling.attempt": int64(1), "esgen.event.type": e.Type, "esgen.stream.name": e.Stream,
			"esgen.stream.version": int64(e.Version), "messaging.message.id": e.ID.String(),
		}
	}
	first := one(events[1])
	first["esgen.event.position"] = int64(2)
	if d := diff([]shown{
		show(1, "Unset", first),
		show(4, "Error: "+store.ErrConflict.Error(), attributes{
			"esgen.handling.kind": "batch", "esgen.handling.attempt": int64(3), "esgen.event.position": int64(4), "error.type": "conflict",
		}),
		show(1, "Unset", one(store.Recorded{Stream: "bank-3", Type: "x"})),
	}, c.shown()[:3]); d != "" {
		t.Error(d)
	}
	for i, want := range [][]string{{"bank-1"}, {"bank-1", "bank-2"}, {}} {
		if ended[i].Parent().IsValid() || ended[i].SpanContext().TraceID() == span.SpanContext().TraceID() {
			t.Errorf("span %d is a part of the program's trace, which never ends", i)
		}
		links := ended[i].Links()
		if len(links) != len(want) {
			t.Errorf("span %d has %d links", i, len(links))
			continue
		}
		for n, stream := range want {
			if !links[n].SpanContext.Equal(appends[stream].WithRemote(true)) {
				t.Errorf("span %d is linked to %v, want the append to %s", i, links[n].SpanContext, stream)
			}
		}
	}
}

func TestLinksAreBounded(t *testing.T) {
	t.Parallel()
	c := collect(esotel.Config{})
	events := make([]store.Recorded, 500)
	for i := range events {
		events[i].Metadata = store.Metadata(fmt.Sprintf(`{"traceparent":"00-%032x-%016x-01"}`, i+1, i+1))
	}
	c.handled(t.Context(), subscribe.HandlingTransaction, 1, nil, events...)
	if n := len(c.spans.Ended()[0].Links()); n != 128 {
		t.Errorf("%d links", n)
	}
}

func TestErrorsOfHandlersAreClassed(t *testing.T) {
	t.Parallel()
	for want, err := range map[string]error{
		"panic":     &subscribe.PanicError{Value: "boom", Stack: []byte("at main.go:1")},
		"not_found": store.ErrStreamNotFound,
		"invalid":   fmt.Errorf("a: %w", store.ErrInvalid),
		"canceled":  context.Canceled,
		"timeout":   context.DeadlineExceeded,
		"_OTHER":    errors.New("odd"),
	} {
		c := collect(esotel.Config{})
		c.handled(t.Context(), subscribe.HandlingEvent, 1, err, store.Recorded{})
		span := c.shown()[0]
		if span.Attributes["error.type"] != want {
			t.Errorf("%v is of %v, want %s", err, span.Attributes["error.type"], want)
		}
		if want == "panic" && (span.Status != "Error: panic: boom" || span.Attributes["exception.stacktrace"] != "at main.go:1") {
			t.Errorf("%+v", span)
		}
	}
}

// The names, units and attributes here are what dashboards are built on.
func TestMetricsOfSubscriptions(t *testing.T) {
	t.Parallel()
	c := collect(esotel.Config{TracerProvider: noop.NewTracerProvider()})
	tell := func(kind subscribe.NoticeKind, lane, events int, behind uint64, age time.Duration) {
		c.handlings.Notice(subscribe.Notice{Kind: kind, Subscription: "balances", Lane: lane, Events: events, Behind: behind, BehindTime: age})
	}
	c.handled(t.Context(), subscribe.HandlingBatch, 1, nil, make([]store.Recorded, 3)...)
	c.handled(t.Context(), subscribe.HandlingBatch, 1, nil, make([]store.Recorded, 2)...)
	c.handled(t.Context(), subscribe.HandlingBatch, 1, store.ErrConflict, make([]store.Recorded, 2)...)
	tell(subscribe.NoticeProgress, 9, 0, 1000, time.Hour) // of a lane that it has not
	for lane := range 3 {
		tell(subscribe.NoticeGained, lane, 0, 0, 0)
	}
	tell(subscribe.NoticeProgress, 0, 0, 70, time.Hour)
	tell(subscribe.NoticeProgress, 0, 0, 7, time.Minute)
	tell(subscribe.NoticeProgress, 1, 0, 0, 0)
	tell(subscribe.NoticeProgress, 2, 0, 1000, time.Hour)
	tell(subscribe.NoticeLost, 2, 0, 0, 0)
	tell(subscribe.NoticeRetry, 0, 0, 0, 0)
	tell(subscribe.NoticeRetry, 0, 5, 0, 0)
	tell(subscribe.NoticeParked, 0, 3, 0, 0)
	tell(subscribe.NoticeUnparked, 0, 2, 0, 0)
	tell(subscribe.NoticeSkipped, 0, 1, 0, 0)
	tell(subscribe.NoticeStopped, 0, 0, 0, 0)
	tell(subscribe.NoticeFailing, 0, 0, 0, 0)
	tell(subscribe.NoticeRenewalFailed, -1, 0, 0, 0)
	tell("of a later release", 0, 0, 0, 0)

	const name = "esgen.subscription.name=balances"
	got := c.measured(t)
	for i := range got {
		if got[i].Metric == "esgen.lag.duration" {
			// It grows while nothing is heard of the lane.
			if got[i].Sum <= 60 || got[i].Sum > 600 {
				t.Errorf("behind by %v", got[i].Sum)
			}
			got[i].Sum = 60
		}
	}
	if d := diff([]measured{
		{"esgen.events.handled", "{event}", name, 0, 5},
		{"esgen.events.parked", "{event}", name, 0, 3},
		{"esgen.events.skipped", "{event}", name, 0, 1},
		{"esgen.events.unparked", "{event}", name, 0, 2},
		{"esgen.handling.duration", "s", "error.type=conflict,esgen.handling.kind=batch," + name, 1, .002},
		{"esgen.handling.duration", "s", "esgen.handling.kind=batch," + name, 2, .004},
		{"esgen.handling.retries", "{retry}", name, 0, 2},
		{"esgen.lag.duration", "s", name, 0, 60},
		{"esgen.lag.events", "{event}", name, 0, 7},
		{"esgen.lane.changes", "{change}", "esgen.lane.change=gained," + name, 0, 3},
		{"esgen.lane.changes", "{change}", "esgen.lane.change=lost," + name, 0, 1},
		{"esgen.lane.failures", "{failure}", name, 0, 1},
		{"esgen.lane.stops", "{stop}", name, 0, 1},
		{"esgen.lanes", "{lane}", name, 0, 2},
		{"esgen.lease.failures", "{failure}", name, 0, 1},
	}, got); d != "" {
		t.Error(d)
	}
}

func TestSubscriptionsWithoutProvidersReportNothing(t *testing.T) {
	t.Parallel()
	s := esotel.NewSubscriptions(esotel.Config{TracerProvider: noop.NewTracerProvider(), MeterProvider: metricnoop.NewMeterProvider()})
	ctx := s.Begin(t.Context(), subscribe.Handling{})
	if ctx != t.Context() {
		t.Error("without spans the context is another one")
	}
	s.End(ctx, subscribe.Handling{}, subscribe.Handled{})
	s.Notice(subscribe.Notice{})
	esotel.NewSubscriptions(esotel.Config{}).Notice(subscribe.Notice{Kind: subscribe.NoticeGained})
	if got := esotel.NewSubscriptions(esotel.Config{MeterProvider: refusing{}}); got == nil {
		t.Error("a provider that refuses")
	}
}
