package esotel_test

import (
	"context"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/esotel"
	"github.com/esgen/esgen/runtime/internal/bank"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
)

// appendSpan is the span of the one append that was made.
func (c collected) appendSpan(t *testing.T) trace.SpanContext {
	t.Helper()
	var found trace.SpanContext
	for _, s := range c.spans.Ended() {
		if s.Name() == "append memory" {
			if found.IsValid() {
				t.Fatal("several appends")
			}
			found = s.SpanContext()
		}
	}
	return found
}

func TestEventsCarryTheTraceOfTheirAppend(t *testing.T) {
	t.Parallel()
	state, err := trace.ParseTraceState(`rojo=00f0,vendor=a"b\c`)
	if err != nil {
		t.Fatal(err)
	}
	caller := trace.ContextWithRemoteSpanContext(t.Context(), trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{1, 2}, SpanID: trace.SpanID{3}, TraceFlags: trace.FlagsSampled, TraceState: state,
	}))
	opened, deposited := bank.AccountOpened{Owner: "ada", Currency: "EUR"}, bank.MoneyDeposited{Amount: 5}
	for name, do := range map[string]func(ctx context.Context, db *memory.Store) error{
		"typed stream": func(ctx context.Context, db *memory.Store) error {
			_, err := bank.StreamOf(db, "1").With(es.Metadata{"by": "ada"}).Append(ctx, store.NoStream, opened, deposited)
			return err
		},
		"Execute": func(ctx context.Context, db *memory.Store) error {
			_, err := bank.StreamOf(db, "1").With(es.Metadata{"by": "ada"}).Execute(ctx, bank.Open("ada", "EUR"))
			return err
		},
		"Atomic": func(ctx context.Context, db *memory.Store) error {
			_, err := es.Atomic(ctx, db, func(ctx context.Context, s store.Streams) error {
				_, err := bank.StreamOf(s, "1").With(es.Metadata{"by": "ada"}).Append(ctx, store.NoStream, opened)
				return err
			})
			return err
		},
	} {
		c := collect(esotel.Config{TraceEvents: true})
		db := memory.New(memory.Config{Observer: c})
		if err := do(caller, db); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := c.appendSpan(t)
		if want.TraceID() != (trace.TraceID{1, 2}) {
			t.Errorf("%s: the append's trace is %s, not the caller's", name, want.TraceID())
		}
		n := 0
		for r, err := range db.Read(t.Context(), store.Query{}) {
			if n++; err != nil {
				t.Fatal(err)
			}
			if got := esotel.SpanContext(r.Metadata); !got.Equal(want.WithRemote(true)) {
				t.Errorf("%s: event %d of %s is of %+v, want %+v", name, n, r.Metadata, got, want)
			}
			if r.Metadata.Get("by") != "ada" {
				t.Errorf("%s: the user's metadata is gone: %s", name, r.Metadata)
			}
		}
		if n == 0 {
			t.Errorf("%s: no events", name)
		}
	}
}

func TestEventsCarryNoTraceUnlessSampledAndAsked(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]collected{
		"not asked":   collect(esotel.Config{}),
		"not sampled": collect(esotel.Config{TraceEvents: true}, sdktrace.WithSampler(sdktrace.NeverSample())),
	} {
		db := memory.New(memory.Config{Observer: c})
		if _, err := db.Append(t.Context(), batch("bank-1", store.Any, 1)); err != nil {
			t.Fatal(err)
		}
		for r, err := range db.Read(t.Context(), store.Query{}) {
			if err != nil || len(r.Metadata) > 0 || esotel.SpanContext(r.Metadata).IsValid() {
				t.Errorf("%s: metadata %s, error %v", name, r.Metadata, err)
			}
		}
	}
}

// Metadata comes from anybody; what is no trace is none.
func TestSpanContextOfGarbage(t *testing.T) {
	t.Parallel()
	for _, m := range []string{"", "{}", "{", "[]", `{"traceparent":7}`, `{"traceparent":""}`, `{"traceparent":"00-0-0-01"}`, `{"tracestate":"a=b"}`} {
		if got := esotel.SpanContext(store.Metadata(m)); got.IsValid() {
			t.Errorf("%s is of %+v", m, got)
		}
	}
	const valid = `{"traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01","tracestate":"no state"}`
	if got := esotel.SpanContext(store.Metadata(valid)); !got.IsValid() || !got.IsRemote() || got.TraceState().Len() != 0 {
		t.Errorf("%s is of %+v", valid, got)
	}
}
