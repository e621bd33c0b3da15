package esotel

import (
	"errors"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/esgen/esgen/runtime/store"
)

// Attributes for which there is no convention.
const (
	streamName      = attribute.Key("esgen.stream.name")
	streamCount     = attribute.Key("esgen.stream.count")
	streamVersion   = attribute.Key("esgen.stream.version")
	eventCount      = attribute.Key("esgen.event.count")
	eventPosition   = attribute.Key("esgen.event.position")
	versionExpected = attribute.Key("esgen.version.expected")
	versionActual   = attribute.Key("esgen.version.actual")
	inTx            = attribute.Key("esgen.in_tx")
	outcomeKey      = attribute.Key("esgen.outcome")
	queueWait       = attribute.Key("esgen.queue.wait.duration")
	headWait        = attribute.Key("esgen.head.wait.duration")
)

// systemMemory is the one store without a server or a file.
const systemMemory = "memory"

func kindOf(op store.Operation) trace.SpanKind {
	if op.System == systemMemory {
		return trace.SpanKindInternal
	}
	return trace.SpanKindClient
}

// spanName follows the convention "operation target", of low cardinality.
func (o *Observer) spanName(op store.Operation, category string) string {
	target := op.Store
	if o.config.Categories && category != "" {
		target = category
	}
	if target == "" {
		target = op.System
	}
	return string(op.Kind) + " " + target
}

// categoryOf is that of the first stream, or what is read; "" for $all and for what
// no store takes.
func categoryOf(op store.Operation) string {
	if op.Stream != "" {
		if store.CheckStream(op.Stream) != nil {
			return ""
		}
		return store.Category(op.Stream)
	}
	for _, c := range op.Categories {
		if store.CheckCategory(c) != nil {
			return ""
		}
	}
	return strings.Join(op.Categories, ",")
}

// maxName bounds names that no store takes.
const maxName = store.MaxStreamBytes

func beginning(op store.Operation, category string) []attribute.KeyValue {
	attributes := make([]attribute.KeyValue, 0, 8)
	attributes = append(attributes, semconv.DBSystemNameKey.String(op.System), semconv.DBOperationName(string(op.Kind)))
	if op.Store != "" {
		attributes = append(attributes, semconv.DBNamespace(op.Store))
	}
	if category != "" {
		attributes = append(attributes, semconv.DBCollectionName(category))
	}
	if op.Stream != "" {
		name := strings.ToValidUTF8(op.Stream[:min(len(op.Stream), maxName)], "\uFFFD")
		attributes = append(attributes, streamName.String(name))
	}
	if op.Streams > 1 {
		attributes = append(attributes, streamCount.Int(op.Streams))
	}
	if op.InTx {
		attributes = append(attributes, inTx.Bool(true))
	}
	if n := len(op.Appends); n > 1 {
		attributes = append(attributes, semconv.DBOperationBatchSize(n))
	}
	return attributes
}

func ending(op store.Operation, r store.Result, out outcome) []attribute.KeyValue {
	attributes := make([]attribute.KeyValue, 0, 6)
	attributes = append(attributes, outcomeKey.String(out.name), eventCount.Int(max(op.Events, r.Events)))
	if r.Version > 0 {
		attributes = append(attributes, streamVersion.Int64(int64(r.Version)))
	}
	if r.Position > 0 {
		attributes = append(attributes, eventPosition.Int64(int64(r.Position)))
	}
	if r.HeadWait > 0 {
		attributes = append(attributes, headWait.Float64(r.HeadWait.Seconds()))
	}
	if conflict, ok := errors.AsType[*store.ConflictError](r.Err); ok {
		attributes = append(attributes, versionExpected.Int64(int64(conflict.Expected)), versionActual.Int64(int64(conflict.Actual)))
	}
	if out.errorType != "" {
		attributes = append(attributes, semconv.ErrorTypeKey.String(out.errorType))
		// Of drivers this package knows only that their errors carry a SQLSTATE.
		var server interface{ SQLState() string }
		if errors.As(r.Err, &server) {
			attributes = append(attributes, semconv.DBResponseStatusCode(server.SQLState()))
		}
	}
	return attributes
}

func endSpan(span trace.Span, op store.Operation, r store.Result, out outcome) {
	if span.IsRecording() {
		span.SetAttributes(ending(op, r, out)...)
		if out.errorType != "" {
			span.SetStatus(codes.Error, strings.ToValidUTF8(r.Err.Error(), "\uFFFD"))
		}
	}
	span.End()
}

func waitedInQueue(d time.Duration) attribute.KeyValue { return queueWait.Float64(d.Seconds()) }
