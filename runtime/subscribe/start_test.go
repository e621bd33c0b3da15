package subscribe_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
	"github.com/esgen/esgen/runtime/subscribe"
)

func TestStart(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, db store.Store) {
		noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
		// Times go back and forth, as clocks of several machines do.
		for _, e := range []struct {
			stream string
			minute int
		}{{"bank-1", 0}, {"bank-1", 10}, {"other-1", 30}, {"bank-1", 20}, {"bank-1", 5}} {
			at := noon.Add(time.Duration(e.minute) * time.Minute)
			_, err := db.Append(t.Context(), store.Batch{Stream: e.stream, Expected: store.Any, Events: []store.Event{
				{Type: "timed", Format: store.JSON, Data: []byte(`{}`), Time: at},
			}})
			if err != nil {
				t.Fatal(err)
			}
		}
		minute := func(n int) subscribe.At { return subscribe.At(noon.Add(time.Duration(n) * time.Minute)) }
		tests := []struct {
			name   string
			config subscribe.Config
			want   []uint64 // of events 1 to 5, and 6, which is appended later, to bank-1
		}{
			{"zero", subscribe.Config{}, []uint64{1, 2, 3, 4, 5, 6}},
			{"origin", subscribe.Config{Start: subscribe.Origin}, []uint64{1, 2, 3, 4, 5, 6}},
			{"current", subscribe.Config{Start: subscribe.Current}, []uint64{6}},
			{"current of a category", subscribe.Config{Start: subscribe.Current, Categories: []string{"bank"}}, []uint64{6}},
			{"current of a stream", subscribe.Config{Start: subscribe.Current, Stream: "bank-1"}, []uint64{6}},
			{"after", subscribe.Config{Start: subscribe.After(3)}, []uint64{4, 5, 6}},
			{"after, in a category", subscribe.Config{Start: subscribe.After(2), Categories: []string{"bank"}}, []uint64{4, 5, 6}},
			{"after the end", subscribe.Config{Start: subscribe.After(5)}, []uint64{6}},
			{"after version", subscribe.Config{Start: subscribe.AfterVersion(2), Stream: "bank-1"}, []uint64{4, 5, 6}},
			{"after version 0", subscribe.Config{Start: subscribe.AfterVersion(0), Stream: "bank-1"}, []uint64{1, 2, 4, 5, 6}},
			{"at the first", subscribe.Config{Start: minute(0)}, []uint64{1, 2, 3, 4, 5, 6}},
			{"at", subscribe.Config{Start: minute(10)}, []uint64{2, 3, 4, 5, 6}},
			{"at, between", subscribe.Config{Start: minute(15)}, []uint64{3, 4, 5, 6}},
			{"at, in a category", subscribe.Config{Start: minute(15), Categories: []string{"bank"}}, []uint64{4, 5, 6}},
			{"at, in a stream", subscribe.Config{Start: minute(15), Stream: "bank-1"}, []uint64{4, 5, 6}},
			{"at, later", subscribe.Config{Start: minute(40)}, []uint64{6}},
			{"at, small pages", subscribe.Config{Start: minute(40), PageSize: 1}, []uint64{6}},
		}
		running := make([]*process, 0, len(tests))
		recorders := make([]*recorder, 0, len(tests))
		for _, test := range tests {
			h := &recorder{}
			p := run(t, newSubscription(t, db, test.name, h.handle, test.config))
			await(t, p.Live(), "Live")
			running, recorders = append(running, p), append(recorders, h)
		}
		appendTo(t, db, "bank-1", 1)
		for i, test := range tests {
			if diff := cmp.Diff(test.want, positions(recorders[i].await(t, len(test.want)))); diff != "" {
				t.Errorf("%s: %s", test.name, diff)
			}
			running[i].stop(t)
		}
		// Once there is a checkpoint, the start means nothing.
		for _, test := range tests {
			h := &recorder{}
			if test.config.Start == subscribe.Current {
				continue
			}
			p := run(t, newSubscription(t, db, test.name, h.handle, test.config))
			await(t, p.Live(), "Live")
			p.stop(t)
			if n := len(h.handled()); n != 0 {
				t.Errorf("%s: %d events were handled again", test.name, n)
			}
		}
	})
}

// A subscription may begin before its stream does.
func TestStreamThatDoesNotExistYet(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, db store.Store) {
		for stream, start := range map[string]subscribe.Start{
			"bank-7": subscribe.Origin,
			"bank-8": subscribe.Current,
			"bank-9": subscribe.At(time.Unix(0, 0)),
		} {
			h := &recorder{}
			p := run(t, newSubscription(t, db, stream, h.handle, subscribe.Config{Stream: stream, Start: start}))
			await(t, p.Live(), "Live")
			if s := p.Status(); s.LastError != nil {
				t.Errorf("the status is %+v", s)
			}
			appendTo(t, db, stream, 2)
			if diff := cmp.Diff([]int64{1, 2}, versions(h.await(t, 2))); diff != "" {
				t.Error(diff)
			}
			p.stop(t)
		}
	})
}

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	db := memory.New(memory.Config{})
	h := (&recorder{}).handle
	tests := []struct {
		name    string
		db      store.Store
		sub     string
		handler subscribe.HandlerFunc
		config  subscribe.Config
		says    string
	}{
		{"no name", db, "", h, subscribe.Config{}, "subscription name: empty"},
		{"long name", db, strings.Repeat("n", 256), h, subscribe.Config{}, "256 bytes"},
		{"no store", nil, "checked", h, subscribe.Config{}, "checked has no store"},
		{"no handler", db, "checked", nil, subscribe.Config{}, "checked has no handler"},
		{"stream and categories", db, "checked", h, subscribe.Config{Stream: "bank-1", Categories: []string{"bank"}}, "both a stream and categories"},
		{"$all as a stream", db, "checked", h, subscribe.Config{Stream: "$all"}, "belong to the store"},
		{"dash in a category", db, "checked", h, subscribe.Config{Categories: []string{"bank-1"}}, "holds a dash"},
		{"position in a stream", db, "checked", h, subscribe.Config{Stream: "bank-1", Start: subscribe.After(3)}, "use AfterVersion"},
		{"version of all", db, "checked", h, subscribe.Config{Start: subscribe.AfterVersion(3)}, "use After"},
		{"version of a category", db, "checked", h, subscribe.Config{Categories: []string{"bank"}, Start: subscribe.AfterVersion(3)}, "use After"},
		{"expectation as a version", db, "checked", h, subscribe.Config{Stream: "bank-1", Start: subscribe.AfterVersion(store.Any)}, "AfterVersion(-1)"},
		{"last version", db, "checked", h, subscribe.Config{Stream: "bank-1", Start: subscribe.AfterVersion(math.MaxInt64)}, "no version of an event"},
		{"last position", db, "checked", h, subscribe.Config{Start: subscribe.After(math.MaxUint64)}, "beyond every position"},
		{"negative page", db, "checked", h, subscribe.Config{PageSize: -1}, "PageSize is -1; leave it 0"},
		{"negative count", db, "checked", h, subscribe.Config{CheckpointEvery: -1}, "CheckpointEvery is -1; leave it 0"},
		{"negative time", db, "checked", h, subscribe.Config{CheckpointAfter: -1}, "CheckpointAfter is -1ns; leave it 0"},
		{"negative poll", db, "checked", h, subscribe.Config{PollInterval: -1}, "PollInterval is -1ns; leave it 0"},
		{"pauses", db, "checked", h, subscribe.Config{Retry: subscribe.Retry{First: 2, Longest: 1}}, "is longer than Retry.Longest"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := subscribe.New(test.db, test.sub, test.handler, test.config)
			if !errors.Is(err, store.ErrInvalid) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("New returned %v, want an ErrInvalid that says %q", err, test.says)
			}
		})
	}
}

// The place that was found is kept before its event is handled, so that a later
// run goes on there whatever its Start says.
func TestFirstEventFoundByTimeIsKept(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, db *faulty) {
		appendTo(t, db, "bank-1", 2)
		pass(time.Hour)
		from := time.Now()
		appendTo(t, db, "bank-1", 2)
		sick := func(context.Context, store.Recorded) error { return subscribe.Stop(errSick) }
		p := run(t, newSubscription(t, db, "since", sick, subscribe.Config{Start: subscribe.At(from)}))
		if err := p.result(t); !errors.Is(err, errSick) {
			t.Fatalf("Run returned %v", err)
		}
		well := &recorder{}
		p = run(t, newSubscription(t, db, "since", well.handle, subscribe.Config{Start: subscribe.Origin}))
		if diff := cmp.Diff([]uint64{3, 4}, positions(well.await(t, 2))); diff != "" {
			t.Error(diff)
		}
		p.stop(t)
	})
}

// As long as nothing was handled, the checkpoint is at 0 and says nothing that
// an At could contradict.
func TestAtHoldsWhileTheCheckpointIsAtTheBeginning(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, db *faulty) {
		p := run(t, newSubscription(t, db, "since", (&recorder{}).handle, subscribe.Config{Start: subscribe.Origin}))
		await(t, p.Live(), "Live")
		p.stop(t)
		appendTo(t, db, "bank-1", 2)
		pass(time.Hour)
		from := time.Now()
		appendTo(t, db, "bank-1", 2)
		h := &recorder{}
		p = run(t, newSubscription(t, db, "since", h.handle, subscribe.Config{Start: subscribe.At(from)}))
		if diff := cmp.Diff([]uint64{3, 4}, positions(h.await(t, 2))); diff != "" {
			t.Error(diff)
		}
		p.stop(t)
	})
}

// A name that a user may choose must not be able to forge a line of a log.
func TestErrorsShowNamesOnOneLine(t *testing.T) {
	t.Parallel()
	const name = "bal\nances\x1b"
	db := memory.New(memory.Config{})
	appendTo(t, db, "bank-\n1", 1)
	sick := func(context.Context, store.Recorded) error { return subscribe.Stop(errSick) }
	var errs []error
	result := func(c subscribe.Config) {
		errs = append(errs, newSubscription(t, db, name, sick, c).Run(t.Context()))
	}
	result(subscribe.Config{})
	result(subscribe.Config{Stream: "bank-\n1"})
	_, err := subscribe.New(nil, name, sick, subscribe.Config{})
	errs = append(errs, err)
	_, err = subscribe.New(db, name, nil, subscribe.Config{})
	errs = append(errs, err)
	_, err = subscribe.New(db, name, sick, subscribe.Config{Stream: "bank-\n1", Start: subscribe.After(1)})
	errs = append(errs, err)
	for _, err := range errs {
		switch {
		case err == nil:
			t.Error("a call succeeded that was to fail")
		case strings.ContainsAny(err.Error(), "\n\x1b"):
			t.Errorf("a name is not quoted in %q", err)
		}
	}
}
