package esotel

import (
	"context"
	"sync"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/esgen/esgen/runtime/subscribe"
)

// laneChange is how lanes come and go.
const laneChange = attribute.Key("esgen.lane.change")

// consumption is the metrics of subscriptions.
type consumption struct {
	duration metric.Float64Histogram
	events   metric.Int64Counter
	counters map[subscribe.NoticeKind]metric.Int64Counter

	lag *lag

	mu    sync.RWMutex
	known map[consumed]options
}

// consumed is what tells measurements of subscriptions apart.
type consumed struct {
	subscription string
	kind         subscribe.HandlingKind
	errorType    string
	change       subscribe.NoticeKind
}

func newConsumption(m metric.Meter) *consumption {
	count := func(name, unit, description string) metric.Int64Counter {
		c, err := m.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(description))
		return either[metric.Int64Counter](c, err, noop.Int64Counter{})
	}
	duration, err := m.Float64Histogram("esgen.handling.duration", metric.WithUnit("s"),
		metric.WithDescription("Duration of calls of handlers; of a transaction, with the commit."), metric.WithExplicitBucketBoundaries(seconds...))
	changes := count("esgen.lane.changes", "{change}", "Lanes that this process has gained, released and lost.")
	return &consumption{
		duration: either[metric.Float64Histogram](duration, err, noop.Float64Histogram{}),
		events:   count("esgen.events.handled", "{event}", "Events that handlers have handled."),
		counters: map[subscribe.NoticeKind]metric.Int64Counter{
			subscribe.NoticeRetry:         count("esgen.handling.retries", "{retry}", "Failed calls of handlers that are tried again."),
			subscribe.NoticeParked:        count("esgen.events.parked", "{event}", "Events that were parked, or wait behind a parked one."),
			subscribe.NoticeUnparked:      count("esgen.events.unparked", "{event}", "Parked events that were handled after all."),
			subscribe.NoticeSkipped:       count("esgen.events.skipped", "{event}", "Events that were passed over by the policy."),
			subscribe.NoticeStopped:       count("esgen.lane.stops", "{stop}", "Lanes that stopped at an event."),
			subscribe.NoticeFailing:       count("esgen.lane.failures", "{failure}", "Reads and checkpoints that failed and are tried again."),
			subscribe.NoticeRenewalFailed: count("esgen.lease.failures", "{failure}", "Renewals of leases that failed."),
			subscribe.NoticeGained:        changes,
			subscribe.NoticeReleased:      changes,
			subscribe.NoticeLost:          changes,
		},
		lag:   newLag(m),
		known: make(map[consumed]options),
	}
}

func (c *consumption) handled(ctx context.Context, h subscribe.Handling, r subscribe.Handled, errorType string) {
	c.duration.Record(ctx, r.Duration.Seconds(), c.of(consumed{subscription: h.Subscription, kind: h.Kind, errorType: errorType}).record...)
	if r.Err == nil {
		c.events.Add(ctx, int64(h.Count), c.of(consumed{subscription: h.Subscription}).add...)
	}
}

func (c *consumption) notice(n subscribe.Notice) {
	c.lag.notice(n)
	counter := c.counters[n.Kind]
	if counter == nil {
		return
	}
	l := consumed{subscription: n.Subscription}
	by := int64(1)
	switch n.Kind {
	case subscribe.NoticeGained, subscribe.NoticeReleased, subscribe.NoticeLost:
		l.change = n.Kind
	case subscribe.NoticeParked, subscribe.NoticeUnparked, subscribe.NoticeSkipped:
		by = int64(max(1, n.Events))
	default: // each is one
	}
	counter.Add(nowhere, by, c.of(l).add...)
}

// of remembers the options of labels, as [series] does.
func (c *consumption) of(l consumed) options {
	c.mu.RLock()
	o, ok := c.known[l]
	c.mu.RUnlock()
	if ok {
		return o
	}
	set := metric.WithAttributeSet(l.attributes())
	o = options{record: []metric.RecordOption{set}, add: []metric.AddOption{set}}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.known) < maxSeries {
		c.known[l] = o
	}
	return o
}

func (l consumed) attributes() attribute.Set {
	attributes := []attribute.KeyValue{subscriptionName.String(l.subscription)}
	if l.kind != "" {
		attributes = append(attributes, handlingKind.String(string(l.kind)))
	}
	if l.errorType != "" {
		attributes = append(attributes, semconv.ErrorTypeKey.String(l.errorType))
	}
	if l.change != "" {
		attributes = append(attributes, laneChange.String(string(l.change)))
	}
	return attribute.NewSet(attributes...)
}

// refused hands an error of a provider to OpenTelemetry.
func refused(err error) bool {
	if err != nil {
		otel.Handle(err)
	}
	return err != nil
}
