package esotel_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/esgen/esgen/runtime/esotel"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
)

// The names, units and attributes here are what dashboards are built on.
func TestMetrics(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	c := collect(esotel.Config{})
	db := memory.New(memory.Config{Observer: c})
	for i := range 5 {
		if _, err := db.Append(ctx, batch(fmt.Sprintf("bank-%d", i), store.NoStream, 3)); err != nil {
			t.Fatal(err)
		}
	}
	again := batch("bank-5", store.NoStream, 1)
	again.Events[0].ID[0] = 1
	for range 2 {
		if _, err := db.Append(ctx, again); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if _, err := db.Append(ctx, batch("bank-1", store.NoStream, 3)); !errors.Is(err, store.ErrConflict) {
			t.Fatal(err)
		}
	}
	for range 2 {
		for range db.Read(ctx, store.Query{}) {
		}
	}
	o := store.Observe(c, "postgresql", "esgen", nil)
	flushed(ctx, o, 4, nil)
	_, _ = o.InTx().Append(ctx, []store.Batch{batch("bank-1", store.Any, 2)}, func(context.Context) ([]store.Appended, error) {
		return []store.Appended{{Stream: "bank-1", Version: 5}}, nil
	})

	const memory, postgres = "db.system.name=memory", "db.namespace=esgen,db.system.name=postgresql"
	want := []measured{
		{"esgen.events.appended", "{event}", postgres, 0, 4},
		{"esgen.events.appended", "{event}", postgres + ",esgen.in_tx=true", 0, 2},
		{"esgen.events.appended", "{event}", memory, 0, 16},
		{"esgen.events.read", "{event}", memory, 0, 32},
		{"esgen.flush.appends", "{append}", postgres, 1, 4},
		{"esgen.flush.duration", "s", postgres, 1, 0},
		{"esgen.flush.events", "{event}", postgres, 1, 4},
		{"esgen.head.wait.duration", "s", postgres, 1, 0.5},
		{"esgen.operation.duration", "s", "db.namespace=esgen,db.operation.name=append,db.system.name=postgresql,esgen.in_tx=true,esgen.outcome=ok", 1, 0},
		{"esgen.operation.duration", "s", "db.namespace=esgen,db.operation.name=append,db.system.name=postgresql,esgen.outcome=ok", 4, 0},
		{"esgen.operation.duration", "s", "db.operation.name=append,db.system.name=memory,esgen.outcome=conflict", 2, 0},
		{"esgen.operation.duration", "s", "db.operation.name=append,db.system.name=memory,esgen.outcome=duplicate", 1, 0},
		{"esgen.operation.duration", "s", "db.operation.name=append,db.system.name=memory,esgen.outcome=ok", 6, 0},
		{"esgen.operation.duration", "s", "db.operation.name=read,db.system.name=memory,esgen.outcome=ok", 2, 0},
		{"esgen.queue.wait.duration", "s", postgres, 4, 1},
	}
	got := c.measured(t)
	for i, m := range got {
		if m.Metric == "esgen.operation.duration" || m.Metric == "esgen.flush.duration" {
			if m.Sum <= 0 || m.Sum > 60 || math.IsNaN(m.Sum) {
				t.Errorf("%s took %v s", m.Attributes, m.Sum)
			}
			got[i].Sum = 0
		}
	}
	if diff := diff(want, got); diff != "" {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
}

func TestMetricsAreByCategoryWhenAsked(t *testing.T) {
	t.Parallel()
	for asked, want := range map[bool]int{false: 1, true: 3} {
		c := collect(esotel.Config{Categories: asked})
		db := memory.New(memory.Config{Observer: c})
		for i := range 60 {
			stream := []string{"bank-%d", "cards-%d", "none%d"}[i%3]
			if _, err := db.Append(t.Context(), batch(fmt.Sprintf(stream, i), store.Any, 1)); err != nil {
				t.Fatal(err)
			}
		}
		series := 0
		var total float64
		for _, m := range c.measured(t) {
			if m.Metric == "esgen.events.appended" {
				series++
				total += m.Sum
			}
		}
		if series != want || total != 60 {
			t.Errorf("Categories %t: %v events in %d series, want 60 in %d", asked, total, series, want)
		}
	}
}

// What is remembered of labels has a bound; beyond it measurements are right all
// the same, as far as the SDK keeps them apart.
func TestEndlessCategoriesAreMeasured(t *testing.T) {
	t.Parallel()
	const n = 5000
	c := collect(esotel.Config{Categories: true})
	db := memory.New(memory.Config{Observer: c})
	for i := range n {
		if _, err := db.Append(t.Context(), batch(fmt.Sprintf("%d-1", i), store.Any, 1)); err != nil {
			t.Fatal(err)
		}
	}
	var total float64
	for _, m := range c.measured(t) {
		if m.Metric == "esgen.events.appended" {
			total += m.Sum
		}
	}
	if total != n {
		t.Errorf("%v events measured, want %d", total, n)
	}
}

// refusing is a meter provider whose histograms are refused.
type refusing struct{ metricnoop.MeterProvider }

type refusingMeter struct{ metricnoop.Meter }

var errRefused = errors.New("refused")

func (refusing) Meter(string, ...metric.MeterOption) metric.Meter { return refusingMeter{} }

func (refusingMeter) Float64Histogram(string, ...metric.Float64HistogramOption) (metric.Float64Histogram, error) {
	return nil, errRefused
}

// Not in parallel: OpenTelemetry has one error handler.
func TestRefusedMetricIsHandled(t *testing.T) {
	var handled []error
	before := otel.GetErrorHandler()
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { handled = append(handled, err) }))
	t.Cleanup(func() { otel.SetErrorHandler(before) })
	o := esotel.New(esotel.Config{TracerProvider: noop.NewTracerProvider(), MeterProvider: refusing{}})
	for _, kind := range []store.OperationKind{store.OperationAppend, store.OperationFlush} {
		op := store.Operation{Kind: kind}
		o.End(o.Begin(t.Context(), op), op, store.Result{Events: 1, HeadWait: 1}) // a store would survive a panic here
	}
	if !slices.ContainsFunc(handled, func(err error) bool { return errors.Is(err, errRefused) }) {
		t.Errorf("handled %v, want %v", handled, errRefused)
	}
}

// The zero Config reports to the global providers, which report to nobody.
func TestZeroConfig(t *testing.T) {
	t.Parallel()
	db := memory.New(memory.Config{Observer: esotel.New(esotel.Config{})})
	if _, err := db.Append(t.Context(), batch("bank-1", store.Any, 1)); err != nil {
		t.Fatal(err)
	}
}
