package esotel

import (
	"context"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/esgen/esgen/runtime/store"
)

// withTrace gives the trace context of ctx's span to the events that are appended.
func withTrace(ctx context.Context) context.Context {
	var c carrier
	propagation.TraceContext{}.Inject(ctx, &c)
	return store.WithTrace(ctx, c.parent, c.state)
}

// SpanContext returns the trace in which an event was appended, from its metadata: that
// of the append's span if [Config.TraceEvents] was set. It is remote, and not valid if
// there is none. Whoever handles the event later links to it:
//
//	ctx, span := tracer.Start(ctx, "project", trace.WithLinks(trace.Link{SpanContext: esotel.SpanContext(meta.Metadata)}))
//
// It parses the metadata, so call it where the span is made and not for every event.
func SpanContext(m store.Metadata) trace.SpanContext {
	parent := m.Get(store.MetaTraceParent)
	if parent == "" {
		return trace.SpanContext{}
	}
	c := carrier{parent: parent, state: m.Get(store.MetaTraceState)}
	return trace.SpanContextFromContext(propagation.TraceContext{}.Extract(nowhere, &c))
}

// nowhere is a context without a span, for what has nothing to do with its caller's.
var nowhere = context.Background()

// carrier holds the two headers of a trace context.
type carrier struct{ parent, state string }

func (c *carrier) Get(key string) string {
	switch key {
	case store.MetaTraceParent:
		return c.parent
	case store.MetaTraceState:
		return c.state
	}
	return ""
}

func (c *carrier) Set(key, value string) {
	switch key {
	case store.MetaTraceParent:
		c.parent = value
	case store.MetaTraceState:
		c.state = value
	}
}

func (c *carrier) Keys() []string { return []string{store.MetaTraceParent, store.MetaTraceState} }
