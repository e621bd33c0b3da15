package esotel_test

import (
	"fmt"
	"testing"

	"go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/esgen/esgen/runtime/esotel"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
)

// observers are what a program may run with. Spans go to no exporter: what it costs
// to send them is its own affair.
func observers() []struct {
	name     string
	observer store.Observer
} {
	meters := metric.NewMeterProvider(metric.WithReader(metric.NewManualReader()))
	tracers := func(s sdktrace.Sampler) *sdktrace.TracerProvider {
		return sdktrace.NewTracerProvider(sdktrace.WithSampler(s), sdktrace.WithSpanProcessor(sdktrace.NewSimpleSpanProcessor(nil)))
	}
	always, never := tracers(sdktrace.AlwaysSample()), tracers(sdktrace.NeverSample())
	return []struct {
		name     string
		observer store.Observer
	}{
		{"none", nil},
		{"metrics", esotel.New(esotel.Config{TracerProvider: tracenoop.NewTracerProvider(), MeterProvider: meters})},
		{"unsampled", esotel.New(esotel.Config{TracerProvider: never, MeterProvider: meters})},
		{"sampled", esotel.New(esotel.Config{TracerProvider: always, MeterProvider: meters})},
		{"sampled+events", esotel.New(esotel.Config{TracerProvider: always, MeterProvider: meters, TraceEvents: true})},
	}
}

// BenchmarkAppend appends one event to a new stream, in memory, where nothing else
// takes long.
func BenchmarkAppend(b *testing.B) {
	for _, o := range observers() {
		b.Run(o.name, func(b *testing.B) {
			db := memory.New(memory.Config{Observer: o.observer})
			names := make([]string, b.N)
			for i := range names {
				names[i] = fmt.Sprintf("bank-%d", i)
			}
			one := batch("", store.NoStream, 1)
			one.Events[0].Metadata = store.Metadata(`{"by":"ada"}`)
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				one.Stream = names[i]
				if _, err := db.Append(b.Context(), one); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkRead reads a stream of a hundred events.
func BenchmarkRead(b *testing.B) {
	for _, o := range observers() {
		b.Run(o.name, func(b *testing.B) {
			var db store.Streams = memory.New(memory.Config{Observer: o.observer}) // as typed streams hold it
			if _, err := db.Append(b.Context(), batch("bank-1", store.NoStream, 100)); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				n := 0
				for _, err := range db.Read(b.Context(), store.Query{Stream: "bank-1"}) {
					if n++; err != nil {
						b.Fatal(err)
					}
				}
				if n != 100 {
					b.Fatalf("read %d events", n)
				}
			}
		})
	}
}
