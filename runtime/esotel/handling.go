package esotel

import (
	"context"
	"errors"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/esgen/esgen/runtime/subscribe"
)

// Attributes of subscriptions for which there is no convention.
const (
	subscriptionName = attribute.Key("esgen.subscription.name")
	subscriptionLane = attribute.Key("esgen.subscription.lane")
	handlingKind     = attribute.Key("esgen.handling.kind")
	handlingAttempt  = attribute.Key("esgen.handling.attempt")
	eventType        = attribute.Key("esgen.event.type")
)

// maxLinks is how many links a span has by the defaults of OpenTelemetry; it drops
// those beyond.
const maxLinks = 128

// appends are links to the spans in which the events were appended, each once: the
// events of one append are of one.
func appends(h subscribe.Handling) (links []trace.Link) {
	for i := range h.Events {
		if len(h.Events[i].Metadata) == 0 {
			continue
		}
		c := SpanContext(h.Events[i].Metadata)
		if !c.IsValid() || len(links) > 0 && links[len(links)-1].SpanContext.Equal(c) {
			continue
		}
		if links = append(links, trace.Link{SpanContext: c}); len(links) == maxLinks {
			break
		}
	}
	return links
}

func handlingAttributes(h subscribe.Handling) []attribute.KeyValue {
	attributes := make([]attribute.KeyValue, 0, 12)
	attributes = append(attributes,
		semconv.MessagingSystemKey.String("esgen"), semconv.MessagingOperationTypeProcess, semconv.MessagingOperationName("process"),
		subscriptionName.String(h.Subscription), subscriptionLane.Int(h.Lane),
		handlingKind.String(string(h.Kind)), handlingAttempt.Int(h.Attempt), eventCount.Int(h.Count))
	if len(h.Events) == 0 {
		return attributes
	}
	if last := h.Events[len(h.Events)-1]; last.Position > 0 {
		attributes = append(attributes, eventPosition.Int64(int64(last.Position))) //nolint:gosec // positions are at most 2⁶³-1
	}
	if len(h.Events) == 1 {
		e := h.Events[0]
		attributes = append(attributes, streamName.String(e.Stream), streamVersion.Int64(int64(e.Version)),
			eventType.String(e.Type), semconv.MessagingMessageID(e.ID.String()))
	}
	return attributes
}

func endHandling(span trace.Span, r subscribe.Handled, errorType string) {
	if span.IsRecording() && errorType != "" {
		span.SetAttributes(semconv.ErrorTypeKey.String(errorType))
		text := r.Err.Error()
		if p, ok := errors.AsType[*subscribe.PanicError](r.Err); ok {
			span.SetAttributes(semconv.ExceptionStacktrace(string(p.Stack)))
			text, _, _ = strings.Cut(text, "\n")
		}
		span.SetStatus(codes.Error, strings.ToValidUTF8(text, "\uFFFD"))
	}
	span.End()
}

// handlingError is the class of a handler's error, "" for none. What is an answer for
// those who append is a failure of a handler that returns it.
func handlingError(err error) string {
	if err == nil {
		return ""
	}
	if _, ok := errors.AsType[*subscribe.PanicError](err); ok {
		return "panic"
	}
	if errors.Is(err, context.Canceled) {
		return "canceled"
	}
	for _, a := range answers {
		if errors.Is(err, a.err) {
			return a.name
		}
	}
	for _, f := range failures {
		if errors.Is(err, f.err) {
			return f.errorType
		}
	}
	return "_OTHER"
}
