package esotel

import (
	"context"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/esgen/esgen/runtime/store"
)

const scope = "github.com/esgen/esgen/runtime/esotel"

// Config is what an [Observer] reports and where to. The zero value works.
type Config struct {
	// TracerProvider makes the spans. Defaults to [otel.GetTracerProvider]. For
	// metrics alone, give that of package trace/noop.
	TracerProvider trace.TracerProvider
	// MeterProvider keeps the metrics. Defaults to [otel.GetMeterProvider].
	MeterProvider metric.MeterProvider
	// Categories adds the category to the names of spans and to metrics. For
	// programs whose categories are few, as those of generated families are: a
	// stream that is named by a bare UUID has a category of its own. Defaults to
	// false.
	Categories bool
	// TraceEvents puts the trace context of the append's span into the metadata of
	// every event, as [store.WithTrace] does, if the span is sampled: some 75 bytes
	// that are stored with the event. Without spans it is that of the caller's span. [SpanContext] gets it back. Defaults to false.
	TraceEvents bool
}

// Observer reports what stores do. One may serve several stores. Methods are safe
// for concurrent use; stores call them.
type Observer struct {
	config  Config
	tracer  trace.Tracer // nil if nobody wants spans
	metrics metrics
}

var _ store.Observer = (*Observer)(nil)

// New returns an observer. A metric that the provider refuses goes to
// [otel.Handle] and is not reported; the rest is.
func New(c Config) *Observer {
	if c.TracerProvider == nil {
		c.TracerProvider = otel.GetTracerProvider()
	}
	if c.MeterProvider == nil {
		c.MeterProvider = otel.GetMeterProvider()
	}
	o := &Observer{
		config:  c,
		metrics: newMetrics(c.MeterProvider.Meter(scope, metric.WithSchemaURL(semconv.SchemaURL))),
	}
	if _, none := c.TracerProvider.(noop.TracerProvider); !none {
		o.tracer = c.TracerProvider.Tracer(scope, trace.WithSchemaURL(semconv.SchemaURL))
	}
	return o
}

// Begin starts the operation's span.
func (o *Observer) Begin(ctx context.Context, op store.Operation) context.Context {
	if op.Kind == store.OperationFlush {
		return o.beginFlush(ctx, op)
	}
	if o.tracer != nil {
		category := categoryOf(op)
		ctx, _ = o.tracer.Start(ctx, o.spanName(op, category), trace.WithSpanKind(kindOf(op)), //nolint:spancheck // End ends it
			trace.WithAttributes(beginning(op, category)...))
	}
	if o.config.TraceEvents && op.Kind == store.OperationAppend && trace.SpanContextFromContext(ctx).IsSampled() {
		ctx = withTrace(ctx)
	}
	return ctx
}

// End ends the span and reports the metrics.
func (o *Observer) End(ctx context.Context, op store.Operation, r store.Result) {
	out := outcomeOf(r)
	if o.tracer != nil {
		endSpan(trace.SpanFromContext(ctx), op, r, out)
	}
	if op.Kind == store.OperationFlush {
		o.metrics.flushed(ctx, op, r)
		return
	}
	category := ""
	if o.config.Categories {
		category = categoryOf(op)
	}
	o.metrics.ended(ctx, op, r, out, category)
}

// beginFlush starts a span if a span of its appends is sampled.
func (o *Observer) beginFlush(ctx context.Context, op store.Operation) context.Context {
	o.metrics.flushing(ctx, op)
	if o.tracer == nil {
		return ctx
	}
	var links []trace.Link
	for _, a := range op.Appends {
		span := trace.SpanFromContext(a.Context)
		if span.IsRecording() {
			span.SetAttributes(waitedInQueue(a.For))
		}
		if span.SpanContext().IsSampled() {
			links = append(links, trace.Link{SpanContext: span.SpanContext()})
		}
	}
	options := []trace.SpanStartOption{trace.WithSpanKind(kindOf(op)), trace.WithAttributes(beginning(op, "")...)}
	switch {
	case len(links) == 0:
		// What the driver reports of a flush belongs to nobody's trace. It must not
		// begin one, and End must find no span of somebody else.
		var unsampled trace.SpanContext
		if len(op.Appends) > 0 {
			unsampled = trace.SpanContextFromContext(op.Appends[0].Context)
		}
		return trace.ContextWithSpanContext(ctx, unsampled)
	case len(op.Appends) == 1:
		ctx = trace.ContextWithSpanContext(ctx, links[0].SpanContext)
	default:
		options = append(options, trace.WithNewRoot(), trace.WithLinks(links...))
	}
	ctx, _ = o.tracer.Start(ctx, o.spanName(op, ""), options...) //nolint:spancheck // End ends it
	return ctx
}
