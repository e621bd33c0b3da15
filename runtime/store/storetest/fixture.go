package storetest

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/esgen/esgen/runtime/store"
)

// caseTimeout ends a case that hangs. No case needs more than a few seconds.
const caseTimeout = 2 * time.Minute

// fixture is what a case works with: a new store, and calls that fail the case.
type fixture struct {
	testing.TB
	setup Setup
	ctx   context.Context
	store store.Store
}

func open(tb testing.TB, setup Setup) *fixture {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), caseTimeout)
	tb.Cleanup(cancel)
	return &fixture{TB: tb, setup: setup, ctx: ctx, store: setup.Open(tb)}
}

// append stores events in stream, or fails.
func (f *fixture) append(stream string, expected store.Version, events ...store.Event) store.Appended {
	f.Helper()
	return f.appendAll(batch(stream, expected, events...))[0]
}

// appendAll stores batches, or fails, and checks the answer's form.
func (f *fixture) appendAll(batches ...store.Batch) []store.Appended {
	f.Helper()
	appended, err := f.store.Append(f.ctx, batches...)
	if err != nil {
		f.Fatalf("Append(%s): %v", describe(batches), err)
	}
	if len(appended) != len(batches) {
		f.Fatalf("Append(%s) answered %d batches: %+v", describe(batches), len(appended), appended)
	}
	for i, a := range appended {
		if a.Stream != batches[i].Stream {
			f.Fatalf("Append(%s) answered for stream %q at index %d", describe(batches), a.Stream, i)
		}
	}
	return appended
}

// refuse appends what must be refused, checks that nothing in $all has changed
// by it, and returns the error.
func (f *fixture) refuse(batches ...store.Batch) error {
	f.Helper()
	return f.refuseIn(f.ctx, batches...)
}

func (f *fixture) refuseIn(ctx context.Context, batches ...store.Batch) error {
	f.Helper()
	before := f.all()
	appended, err := f.store.Append(ctx, batches...)
	if err == nil {
		f.Fatalf("Append(%s) succeeded with %+v, want an error", describe(batches), appended)
	}
	f.equal(fmt.Sprintf("stored before and after Append(%s), which failed with %q", describe(batches), err), before, f.all())
	return err
}

// read returns what q selects, or fails.
func (f *fixture) read(q store.Query) []store.Recorded {
	f.Helper()
	events, err := collect(f.ctx, f.store, q)
	if err != nil {
		f.Fatalf("Read(%s) after %d events: %v", q, len(events), err)
	}
	return events
}

// stream returns the events of a stream that has some, or fails.
func (f *fixture) stream(name string) []store.Recorded {
	f.Helper()
	events := f.read(store.Query{Stream: name})
	if len(events) == 0 {
		f.Fatalf("Read(%s) gave no event and no error, want events, or a StreamNotFoundError", name)
	}
	return events
}

// exactly returns the n events of a stream, or fails.
func (f *fixture) exactly(n int, name string) []store.Recorded {
	f.Helper()
	events := f.stream(name)
	if len(events) != n {
		f.Fatalf("%s has %d events, want %d", name, len(events), n)
	}
	return events
}

// appendOne appends one batch to s. Unlike the fixture's methods it may be
// called from any goroutine.
func appendOne(ctx context.Context, s store.Streams, b store.Batch) (store.Appended, error) {
	appended, err := s.Append(ctx, b)
	if err != nil {
		return store.Appended{}, err
	}
	if len(appended) != 1 {
		return store.Appended{}, fmt.Errorf("append of one batch answered %d: %+v", len(appended), appended)
	}
	return appended[0], nil
}

func (f *fixture) all() []store.Recorded {
	f.Helper()
	return f.read(store.Query{})
}

// absent fails if stream has events.
func (f *fixture) absent(stream string) {
	f.Helper()
	events, err := collect(f.ctx, f.store, store.Query{Stream: stream})
	if notFound, ok := as[*store.StreamNotFoundError](err); !ok || notFound.Stream != stream || len(events) > 0 {
		f.Fatalf("Read(%s) gave %d events and error %v, want a StreamNotFoundError", stream, len(events), err)
	}
}

// equal fails with a diff unless got is want.
func (f *fixture) equal(what string, want, got any) {
	f.Helper()
	if reflect.DeepEqual(want, got) {
		return // many times faster than the diff, which has the last word
	}
	if diff := cmp.Diff(want, got); diff != "" {
		f.Fatalf("%s (-want +got):\n%s", what, diff)
	}
}

// events makes n events that carry 1 to n.
func events(n int) []store.Event {
	made := make([]store.Event, n)
	for i := range made {
		made[i] = event(i + 1)
	}
	return made
}

func event(n int) store.Event {
	return store.Event{Type: "storetest.counted", Format: store.JSON, Data: fmt.Appendf(nil, `{"n":%d}`, n)}
}

// carried are the numbers that [event] put in.
func carried(recorded []store.Recorded) []int {
	numbers := make([]int, len(recorded))
	for i, r := range recorded {
		var data struct {
			N int `json:"n"`
		}
		if json.Unmarshal(r.Data, &data) != nil {
			data.N = -1
		}
		numbers[i] = data.N
	}
	return numbers
}

// upTo is 1, 2, …, n.
func upTo(n int) []int {
	numbers := make([]int, n)
	for i := range numbers {
		numbers[i] = i + 1
	}
	return numbers
}

func reversed[T any](s []T) []T {
	s = slices.Clone(s)
	slices.Reverse(s)
	return s
}

func batch(stream string, expected store.Version, events ...store.Event) store.Batch {
	return store.Batch{Stream: stream, Expected: expected, Events: events}
}

// collect reads to the end, or to the error, which must be the last pair.
func collect(ctx context.Context, s store.Streams, q store.Query) ([]store.Recorded, error) {
	events := []store.Recorded{}
	var failed error
	for r, err := range s.Read(ctx, q) {
		if failed != nil {
			return events, fmt.Errorf("read went on after the error %w", failed)
		}
		if failed = err; err == nil {
			events = append(events, r)
		}
	}
	return events, failed
}

func describe(batches []store.Batch) string {
	var text strings.Builder
	for i, b := range batches {
		if i > 0 {
			text.WriteString(", ")
		}
		fmt.Fprintf(&text, "%d to %.40q expecting %s", len(b.Events), b.Stream, b.Expected)
	}
	return text.String()
}
