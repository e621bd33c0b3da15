package esotel_test

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/esgen/esgen/runtime/esotel"
	"github.com/esgen/esgen/runtime/internal/bank"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
	"github.com/esgen/esgen/runtime/subscribe"
)

// A store that reports its spans. A program has an exporter in the place of the
// recorder, and most set the providers for the whole process: then the zero Config
// finds them.
func Example() {
	ctx := context.Background()
	spans := tracetest.NewSpanRecorder()
	tracers := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))

	db := memory.New(memory.Config{
		Observer: esotel.New(esotel.Config{TracerProvider: tracers, Categories: true}),
	})
	acct := bank.StreamOf(db, "a-17")
	_, err := acct.Append(ctx, store.NoStream, bank.AccountOpened{Owner: "ada", Currency: "EUR"})
	fmt.Println(err)
	_, err = acct.Append(ctx, store.NoStream, bank.AccountOpened{Owner: "ada", Currency: "EUR"})
	fmt.Println(err)

	for _, s := range spans.Ended() {
		fmt.Println(s.Name(), s.Status().Code)
		for _, a := range s.Attributes() {
			fmt.Println("  ", a.Key, a.Value.String())
		}
	}
	// Output:
	// <nil>
	// append to bank-a-17: conflict: expected version 0 (no stream), the stream is at 1
	// append bank Unset
	//    db.system.name memory
	//    db.operation.name append
	//    db.collection.name bank
	//    esgen.stream.name bank-a-17
	//    esgen.outcome ok
	//    esgen.event.count 1
	//    esgen.stream.version 1
	//    esgen.event.position 1
	// append bank Unset
	//    db.system.name memory
	//    db.operation.name append
	//    db.collection.name bank
	//    esgen.stream.name bank-a-17
	//    esgen.outcome conflict
	//    esgen.event.count 1
	//    esgen.version.expected 0
	//    esgen.version.actual 1
}

// Metrics alone, without the cost of spans: a provider of package trace/noop makes
// none. Conflicts, duplicates and failures are counted by the outcome of the
// duration.
func Example_metrics() {
	ctx := context.Background()
	reader := metric.NewManualReader()
	db := memory.New(memory.Config{Observer: esotel.New(esotel.Config{
		TracerProvider: noop.NewTracerProvider(),
		MeterProvider:  metric.NewMeterProvider(metric.WithReader(reader)),
	})})
	acct := bank.StreamOf(db, "a-17")
	for range 3 {
		_, _ = acct.Append(ctx, store.NoStream, bank.AccountOpened{Owner: "ada", Currency: "EUR"})
	}

	var all metricdata.ResourceMetrics
	if err := reader.Collect(ctx, &all); err != nil {
		fmt.Println(err)
	}
	for _, m := range all.ScopeMetrics[0].Metrics {
		if d, ok := m.Data.(metricdata.Histogram[float64]); ok {
			for _, p := range d.DataPoints {
				outcome, _ := p.Attributes.Value("esgen.outcome")
				fmt.Println(m.Name, "in", m.Unit, "of", outcome.String(), "was measured", p.Count, "times")
			}
		}
	}
	// Unordered output:
	// esgen.operation.duration in s of ok was measured 1 times
	// esgen.operation.duration in s of conflict was measured 2 times
}

// projection links its spans to those in which the events were appended: they may be
// days apart, and of another process.
type projection struct {
	bank.Ignore
	tracer trace.Tracer
	done   func()
}

func (p projection) OnAccountOpened(ctx context.Context, m bank.Meta, _ bank.AccountOpened) error {
	_, span := p.tracer.Start(ctx, "project account", trace.WithLinks(trace.Link{
		SpanContext: esotel.SpanContext(m.Metadata),
	}))
	defer span.End()
	p.done()
	return nil
}

// The trace context of an append goes into the metadata of its events, so that who
// handles them later can link to it.
func ExampleSpanContext() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	spans := tracetest.NewSpanRecorder()
	tracers := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))
	db := memory.New(memory.Config{
		Observer: esotel.New(esotel.Config{TracerProvider: tracers, TraceEvents: true}),
	})
	_, err := bank.StreamOf(db, "a-17").Append(ctx, store.NoStream, bank.AccountOpened{Owner: "ada", Currency: "EUR"})
	if err != nil {
		fmt.Println(err)
	}
	appended := spans.Ended()[0].SpanContext()

	p := projection{tracer: tracers.Tracer("bank"), done: stop}
	sub, err := bank.Subscribe(db, "accounts", p, subscribe.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = sub.Run(ctx)
	for _, s := range spans.Ended() {
		if s.Name() == "project account" {
			fmt.Println("linked to the append:", s.Links()[0].SpanContext.SpanID() == appended.SpanID())
		}
	}
	// Output: linked to the append: true
}

// A subscription that reports what it does: a span of each call of its handler, linked
// to the span that appended the event, and metrics.
func ExampleNewSubscriptions() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	spans := tracetest.NewSpanRecorder()
	tracers := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))
	meters := metric.NewMeterProvider()
	db := memory.New(memory.Config{
		Observer: esotel.New(esotel.Config{TracerProvider: tracers, TraceEvents: true}),
	})
	_, err := bank.StreamOf(db, "a-17").Append(ctx, store.NoStream, bank.AccountOpened{Owner: "ada", Currency: "EUR"})
	if err != nil {
		fmt.Println(err)
	}
	appended := spans.Ended()[0].SpanContext()

	p := projection{tracer: tracers.Tracer("bank"), done: stop}
	sub, err := bank.Subscribe(db, "accounts", p, subscribe.Config{
		Observer: esotel.NewSubscriptions(esotel.Config{TracerProvider: tracers, MeterProvider: meters}),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = sub.Run(ctx)
	for _, s := range spans.Ended() {
		if s.Name() == "process accounts" {
			fmt.Println("linked to the append:", s.Links()[0].SpanContext.SpanID() == appended.SpanID())
		}
	}
	// Output: linked to the append: true
}
