package esotel

import (
	"context"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/esgen/esgen/runtime/subscribe"
)

// Subscriptions reports what subscriptions do. One serves all subscriptions of a
// program, whose lag it tells by their names; those of stores in which names repeat
// have one each, with a MeterProvider of its own. Methods are safe for concurrent
// use; subscriptions call them.
type Subscriptions struct {
	tracer  trace.Tracer // nil if nobody wants spans
	metrics *consumption
}

var _ subscribe.Observer = (*Subscriptions)(nil)

// NewSubscriptions returns an observer for [subscribe.Config]. Of c it takes the
// providers. A metric that the provider refuses goes to [otel.Handle] and is not
// reported; the rest is.
func NewSubscriptions(c Config) *Subscriptions {
	if c.TracerProvider == nil {
		c.TracerProvider = otel.GetTracerProvider()
	}
	if c.MeterProvider == nil {
		c.MeterProvider = otel.GetMeterProvider()
	}
	s := &Subscriptions{metrics: newConsumption(c.MeterProvider.Meter(scope, metric.WithSchemaURL(semconv.SchemaURL)))}
	if _, none := c.TracerProvider.(noop.TracerProvider); !none {
		s.tracer = c.TracerProvider.Tracer(scope, trace.WithSchemaURL(semconv.SchemaURL))
	}
	return s
}

// Begin starts the span of a call of a handler: a trace of its own with a link to each
// span in which its events were appended. A child of those it cannot be, for they have
// long been over, nor of what runs the subscription, which never ends.
func (s *Subscriptions) Begin(ctx context.Context, h subscribe.Handling) context.Context {
	if s.tracer == nil {
		return ctx
	}
	ctx, _ = s.tracer.Start(ctx, "process "+h.Subscription, trace.WithNewRoot(), trace.WithSpanKind(trace.SpanKindConsumer), //nolint:spancheck // End ends it
		trace.WithLinks(appends(h)...), trace.WithAttributes(handlingAttributes(h)...))
	return ctx
}

// End ends the span and reports the metrics.
func (s *Subscriptions) End(ctx context.Context, h subscribe.Handling, r subscribe.Handled) {
	errorType := handlingError(r.Err)
	if s.tracer != nil {
		endHandling(trace.SpanFromContext(ctx), r, errorType)
	}
	s.metrics.handled(ctx, h, r, errorType)
}

// Notice reports the metrics.
func (s *Subscriptions) Notice(n subscribe.Notice) { s.metrics.notice(n) }
