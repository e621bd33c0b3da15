package esotel

import (
	"context"
	"sync"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/esgen/esgen/runtime/store"
)

// seconds are finer than the conventions' buckets: appends take from 50 µs in memory
// to the 15 s of the default timeout.
var seconds = []float64{
	.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 15,
}

// sizes reach to what a flush holds and, of events, to the largest appends.
var sizes = []float64{1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 100_000}

type metrics struct {
	duration, flushDuration, queueWait, headWait metric.Float64Histogram
	flushAppends, flushEvents                    metric.Int64Histogram
	appended, read                               metric.Int64Counter

	series *series
}

func newMetrics(m metric.Meter) metrics {
	duration := func(name, description string) metric.Float64Histogram {
		h, err := m.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(description),
			metric.WithExplicitBucketBoundaries(seconds...))
		return either[metric.Float64Histogram](h, err, noop.Float64Histogram{})
	}
	size := func(name, unit, description string) metric.Int64Histogram {
		h, err := m.Int64Histogram(name, metric.WithUnit(unit), metric.WithDescription(description),
			metric.WithExplicitBucketBoundaries(sizes...))
		return either[metric.Int64Histogram](h, err, noop.Int64Histogram{})
	}
	events := func(name, description string) metric.Int64Counter {
		c, err := m.Int64Counter(name, metric.WithUnit("{event}"), metric.WithDescription(description))
		return either[metric.Int64Counter](c, err, noop.Int64Counter{})
	}
	return metrics{
		duration:      duration("esgen.operation.duration", "Duration of calls of the store; of a read, of the loop over it."),
		flushDuration: duration("esgen.flush.duration", "Duration of transactions of group commit."),
		queueWait:     duration("esgen.queue.wait.duration", "How long appends waited until their flush began."),
		headWait:      duration("esgen.head.wait.duration", "How long flushes waited for the lock that orders all appends."),
		flushAppends:  size("esgen.flush.appends", "{append}", "Appends that shared a transaction."),
		flushEvents:   size("esgen.flush.events", "{event}", "Events of the appends that shared a transaction."),
		appended:      events("esgen.events.appended", "Events that were stored."),
		read:          events("esgen.events.read", "Events that reads yielded."),
		series:        &series{known: make(map[label]options)},
	}
}

// either is the instrument, or if it was refused one that does nothing: providers
// differ in what they return with an error.
func either[I any](instrument I, err error, nothing I) I {
	if err != nil {
		otel.Handle(err)
		return nothing
	}
	return instrument
}

func (m *metrics) ended(ctx context.Context, op store.Operation, r store.Result, out outcome, category string) {
	l := label{system: op.System, store: op.Store, category: category, inTx: op.InTx}
	counters := m.series.of(l)
	l.kind, l.outcome = op.Kind, out
	m.duration.Record(ctx, r.Duration.Seconds(), m.series.of(l).record...)
	if r.Events == 0 {
		return
	}
	switch {
	case op.Kind == store.OperationRead:
		m.read.Add(ctx, int64(r.Events), counters.add...)
	case op.Kind == store.OperationAppend && !r.Duplicate:
		m.appended.Add(ctx, int64(r.Events), counters.add...)
	}
}

func (m *metrics) flushing(ctx context.Context, op store.Operation) {
	record := m.series.of(label{system: op.System, store: op.Store}).record
	m.flushAppends.Record(ctx, int64(len(op.Appends)), record...)
	m.flushEvents.Record(ctx, int64(op.Events), record...)
	for _, a := range op.Appends {
		m.queueWait.Record(a.Context, a.For.Seconds(), record...) //nolint:contextcheck // the append's, for its exemplar
	}
}

func (m *metrics) flushed(ctx context.Context, op store.Operation, r store.Result) {
	record := m.series.of(label{system: op.System, store: op.Store}).record
	m.flushDuration.Record(ctx, r.Duration.Seconds(), record...)
	if r.HeadWait > 0 {
		m.headWait.Record(ctx, r.HeadWait.Seconds(), record...)
	}
}

// label is what tells measurements apart.
type label struct {
	system, store, category string
	kind                    store.OperationKind
	outcome                 outcome
	inTx                    bool
}

// options are a label's attributes as instruments take them.
type options struct {
	record []metric.RecordOption
	add    []metric.AddOption
}

// maxSeries bounds what is remembered: as many as OpenTelemetry's own limit.
const maxSeries = 2000

// series remembers the options of labels: to sort and hash attributes anew costs
// more than all else that a measurement does.
type series struct {
	mu    sync.RWMutex
	known map[label]options
}

func (s *series) of(l label) options {
	s.mu.RLock()
	o, ok := s.known[l]
	s.mu.RUnlock()
	if ok {
		return o
	}
	set := metric.WithAttributeSet(l.attributes())
	o = options{record: []metric.RecordOption{set}, add: []metric.AddOption{set}}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.known) < maxSeries {
		s.known[l] = o
	}
	return o
}

func (l label) attributes() attribute.Set {
	attributes := []attribute.KeyValue{semconv.DBSystemNameKey.String(l.system)}
	add := func(key attribute.Key, value string) {
		if value != "" {
			attributes = append(attributes, key.String(value))
		}
	}
	add(semconv.DBNamespaceKey, l.store)
	add(semconv.DBCollectionNameKey, l.category)
	add(semconv.DBOperationNameKey, string(l.kind))
	add(outcomeKey, l.outcome.name)
	add(semconv.ErrorTypeKey, l.outcome.errorType)
	if l.inTx {
		attributes = append(attributes, inTx.Bool(true))
	}
	return attribute.NewSet(attributes...)
}
