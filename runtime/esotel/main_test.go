package esotel_test

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.uber.org/goleak"

	"github.com/esgen/esgen/runtime/esotel"
	"github.com/esgen/esgen/runtime/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// collected is an observer with all that it reports.
type collected struct {
	*esotel.Observer
	handlings *esotel.Subscriptions
	tracers   *sdktrace.TracerProvider
	spans     *tracetest.SpanRecorder
	reader    *metric.ManualReader
}

func collect(c esotel.Config, options ...sdktrace.TracerProviderOption) collected {
	spans, reader := tracetest.NewSpanRecorder(), metric.NewManualReader()
	tracers := sdktrace.NewTracerProvider(append(options, sdktrace.WithSpanProcessor(spans))...)
	c.TracerProvider = tracers
	c.MeterProvider = metric.NewMeterProvider(metric.WithReader(reader))
	return collected{esotel.New(c), esotel.NewSubscriptions(c), tracers, spans, reader}
}

// shown is a span in plain values.
type shown struct {
	Name, Kind, Status string
	Attributes         map[attribute.Key]any
}

func (c collected) shown() (all []shown) {
	for _, s := range c.spans.Ended() {
		attributes := make(map[attribute.Key]any)
		for _, a := range s.Attributes() {
			attributes[a.Key] = a.Value.AsInterface()
		}
		status := s.Status().Code.String()
		if s.Status().Description != "" {
			status += ": " + s.Status().Description
		}
		all = append(all, shown{s.Name(), s.SpanKind().String(), status, attributes})
	}
	return all
}

func (c collected) check(t *testing.T, want ...shown) {
	t.Helper()
	if diff := cmp.Diff(want, c.shown()); diff != "" {
		t.Errorf("spans (-want +got):\n%s", diff)
	}
}

// measured is a series: how often it was measured and what all came to.
type measured struct {
	Metric, Unit string
	Attributes   string
	Count        uint64
	Sum          float64
}

func (c collected) measured(t *testing.T) (all []measured) {
	t.Helper()
	var got metricdata.ResourceMetrics
	if err := c.reader.Collect(context.Background(), &got); err != nil {
		t.Fatal(err)
	}
	encode := func(s attribute.Set) string { return s.Encoded(attribute.DefaultEncoder()) }
	for _, scope := range got.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch data := m.Data.(type) {
			case metricdata.Histogram[float64]:
				for _, p := range data.DataPoints {
					all = append(all, measured{m.Name, m.Unit, encode(p.Attributes), p.Count, p.Sum})
				}
			case metricdata.Histogram[int64]:
				for _, p := range data.DataPoints {
					all = append(all, measured{m.Name, m.Unit, encode(p.Attributes), p.Count, float64(p.Sum)})
				}
			case metricdata.Sum[int64]:
				for _, p := range data.DataPoints {
					all = append(all, measured{m.Name, m.Unit, encode(p.Attributes), 0, float64(p.Value)})
				}
			case metricdata.Gauge[int64]:
				for _, p := range data.DataPoints {
					all = append(all, measured{m.Name, m.Unit, encode(p.Attributes), 0, float64(p.Value)})
				}
			case metricdata.Gauge[float64]:
				for _, p := range data.DataPoints {
					all = append(all, measured{m.Name, m.Unit, encode(p.Attributes), 0, p.Value})
				}
			default:
				t.Errorf("%s is a %T", m.Name, data)
			}
		}
	}
	slices.SortFunc(all, func(a, b measured) int {
		return slices.Compare([]string{a.Metric, a.Attributes}, []string{b.Metric, b.Attributes})
	})
	return all
}

func event(data string) store.Event {
	return store.Event{Type: "bank.opened", Format: store.JSON, Data: []byte(data)}
}

func batch(stream string, expected store.Version, n int) store.Batch {
	b := store.Batch{Stream: stream, Expected: expected}
	for range n {
		b.Events = append(b.Events, event(`{}`))
	}
	return b
}
