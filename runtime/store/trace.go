package store

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strconv"
)

// Keys of metadata that hold the trace in which an event was appended, as the W3C
// Trace Context names its headers.
const (
	MetaTraceParent = "traceparent"
	MetaTraceState  = "tracestate"
)

// maxTrace bounds each part of a trace: the length that W3C Trace Context asks
// everybody to carry.
const maxTrace = 512

type traceKey struct{}

// trace is metadata with the trace alone.
type trace struct{ metadata Metadata }

// WithTrace returns a context in which appended events get this W3C trace context
// in their metadata, under [MetaTraceParent] and, unless it is empty,
// [MetaTraceState]. Events that have one of the two keep theirs, and one that would
// become too large gets none. What no trace context can be, such as text
// with control characters or of more than 512 bytes, changes nothing.
func WithTrace(ctx context.Context, parent, state string) context.Context {
	if parent == "" || !isTrace(parent) || !isTrace(state) {
		return ctx
	}
	text := make([]byte, 0, len(`{"traceparent":"","tracestate":""}`)+len(parent)+2*len(state))
	text = append(text, `{"`+MetaTraceParent+`":`...)
	text = strconv.AppendQuote(text, parent)
	if state != "" {
		text = append(text, `,"`+MetaTraceState+`":`...)
		text = strconv.AppendQuote(text, state)
	}
	return context.WithValue(ctx, traceKey{}, &trace{slices.Clip(append(text, '}'))})
}

// isTrace holds for printable ASCII, of which Go and JSON quote everything alike.
func isTrace(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return len(s) <= maxTrace
}

func traceOf(ctx context.Context) *trace {
	t, _ := ctx.Value(traceKey{}).(*trace)
	return t
}

// into returns m, which is an object or empty, with the trace, if there is room for
// it. Events without metadata share one text. m is not parsed, unless it may have a
// trace: on the way of every append that would cost more than all else.
func (t *trace) into(m Metadata, room int) Metadata {
	if t == nil || len(t.metadata) > room {
		return m
	}
	if len(m) == 0 {
		return t.metadata
	}
	// A backslash may spell a key in another way.
	if bytes.Contains(m, []byte(`"trace`)) || bytes.IndexByte(m, '\\') >= 0 {
		var all map[string]json.RawMessage
		if json.Unmarshal(m, &all) != nil || all[MetaTraceParent] != nil || all[MetaTraceState] != nil {
			return m
		}
	}
	members := bytes.TrimLeft(m[bytes.IndexByte(m, '{')+1:], " \t\r\n")
	if members[0] == '}' {
		return t.metadata
	}
	joined := make(Metadata, 0, len(t.metadata)+len(members))
	joined = append(joined, t.metadata[:len(t.metadata)-1]...)
	joined = append(joined, ',')
	return append(joined, members...)
}
