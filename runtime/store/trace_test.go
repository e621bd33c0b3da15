package store_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/esgen/esgen/runtime/store"
)

const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

// prepared returns the metadata that Prepare makes of given in ctx.
func prepared(ctx context.Context, t *testing.T, given ...string) []string {
	t.Helper()
	b := store.Batch{Stream: "bank-1", Expected: store.Any}
	for _, m := range given {
		b.Events = append(b.Events, store.Event{Type: "t", Format: store.JSON, Data: []byte(`{}`), Metadata: store.Metadata(m)})
	}
	batches, err := store.Prepare(ctx, noon, []store.Batch{b})
	if err != nil {
		t.Fatal(err)
	}
	got := make([]string, 0, len(given))
	for i, e := range batches[0].Events {
		if string(b.Events[i].Metadata) != given[i] {
			t.Errorf("the caller's metadata became %s", b.Events[i].Metadata)
		}
		got = append(got, string(e.Metadata))
	}
	return got
}

func TestTraceOfTheContextGoesIntoMetadata(t *testing.T) {
	t.Parallel()
	ctx := store.WithTrace(t.Context(), parent, `v="1"\`)
	const own = `"traceparent":"` + parent + `","tracestate":"v=\"1\"\\"`
	for given, want := range map[string]string{
		"":                              `{` + own + `}`,
		"{}":                            `{` + own + `}`,
		" {\n} ":                        `{` + own + `}`,
		`{"by":"ada"}`:                  `{` + own + `,"by":"ada"}`,
		` { "by" : {"traces":[]} } `:    `{` + own + `,"by" : {"traces":[]} } `,
		`{"trace_id":"x","a":"\\"}`:     `{` + own + `,"trace_id":"x","a":"\\"}`,
		`{"by":{"traceparent":"deep"}}`: `{` + own + `,"by":{"traceparent":"deep"}}`,
		`{"traceparent":"mine"}`:        `{"traceparent":"mine"}`,
		`{"trace\u0070arent":"mine"}`:   `{"trace\u0070arent":"mine"}`,
		`{"tracestate":null}`:           `{"tracestate":null}`,
	} {
		if diff := cmp.Diff([]string{want, want}, prepared(ctx, t, given, given)); diff != "" {
			t.Errorf("metadata %s (-want +got):\n%s", given, diff)
		}
		if given != "" && store.Metadata(want).Get("by") != store.Metadata(given).Get("by") {
			t.Errorf("%s lost what %s had", want, given)
		}
	}
	if diff := cmp.Diff([]string{`{"traceparent":"` + parent + `"}`}, prepared(store.WithTrace(t.Context(), parent, ""), t, "")); diff != "" {
		t.Errorf("without a state (-want +got):\n%s", diff)
	}
}

func TestWhatIsNoTraceIsNotStored(t *testing.T) {
	t.Parallel()
	for name, trace := range map[string][2]string{
		"nothing": {"", "v=1"}, "a line break": {parent + "\n", ""}, "no ASCII": {parent, "v=ä"},
		"DEL": {parent, "\x7f"}, "long": {parent, strings.Repeat("v", 513)},
	} {
		if got := prepared(store.WithTrace(t.Context(), trace[0], trace[1]), t, ""); got[0] != "" {
			t.Errorf("%s: metadata %s, want none", name, got[0])
		}
	}
}

// A trace never makes an event too large.
func TestTraceNeedsRoom(t *testing.T) {
	t.Parallel()
	ctx := store.WithTrace(t.Context(), parent, "")
	trace := prepared(ctx, t, "")[0]
	for spare, want := range map[int]bool{0: false, len(trace) - 1: false, len(trace): true} {
		size := store.MaxEventBytes - spare
		given := `{"a":"` + strings.Repeat("x", size-len(`{"a":""}`)-len(`{}`)) + `"}`
		got := prepared(ctx, t, given)[0]
		if strings.HasPrefix(got, trace[:len(trace)-1]) != want {
			t.Errorf("with room for %d of %d bytes: begins with a trace: %t", spare, len(trace), !want)
		}
	}
}

// Whatever metadata there is, a trace adds two keys at most and changes nothing else.
func FuzzTraceIntoMetadata(f *testing.F) {
	for _, m := range []string{"", "{}", ` {"a":{"b":[1,"}"]}} `, `{"traceparent":1}`, `{"trace\u0073tate":"x","a":"\\"}`, `{"a":1,"a":2}`} {
		f.Add(m, "a=b")
	}
	f.Fuzz(func(t *testing.T, given, state string) {
		prepare := func(ctx context.Context) (store.Metadata, error) {
			batches, err := store.Prepare(ctx, noon, []store.Batch{{Stream: "bank-1", Expected: store.Any, Events: []store.Event{
				{Type: "t", Format: "own", Metadata: store.Metadata(given)},
			}}})
			if err != nil {
				return nil, err
			}
			return batches[0].Events[0].Metadata, nil
		}
		bare, err := prepare(t.Context())
		traced, tracedErr := prepare(store.WithTrace(t.Context(), parent, state))
		if (err == nil) != (tracedErr == nil) {
			t.Fatalf("%q is taken with error %v, with a trace %v", given, err, tracedErr)
		}
		if err != nil {
			return
		}
		want, err := bare.Map()
		if err != nil {
			t.Fatal(err)
		}
		got, err := traced.Map()
		if err != nil {
			t.Fatalf("%q became %q: %v", given, traced, err)
		}
		_, hadParent := want[store.MetaTraceParent]
		_, hadState := want[store.MetaTraceState]
		if !hadParent && !hadState {
			delete(got, store.MetaTraceParent)
			delete(got, store.MetaTraceState)
		}
		if len(want) == 0 {
			want = map[string]any{}
		}
		if len(got) == 0 {
			got = map[string]any{}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q became %q (-want +got):\n%s", given, traced, diff)
		}
	})
}
