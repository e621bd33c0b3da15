package store_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 123_456_789, time.FixedZone("", 3600))

func opened() store.Event {
	return store.Event{Type: "bank.opened", Format: store.JSON, Data: []byte(`{}`)}
}

func TestPrepareFillsInWhatIsMissing(t *testing.T) {
	t.Parallel()
	correlation, causation := uuid.New(), uuid.New()
	ctx := store.WithCause(t.Context(), correlation, causation)
	full := store.Event{
		ID: uuid.New(), Type: "t", Revision: 7, Format: "own", Data: []byte{0xff}, Metadata: store.Metadata(`{"a":1}`),
		Correlation: uuid.New(), Causation: uuid.New(), Time: time.Date(1999, 1, 1, 0, 0, 0, 1000, time.UTC),
	}
	bare := opened()
	bare.Metadata = store.Metadata{}
	given := []store.Batch{{Stream: "bank-1", Expected: 3, Events: []store.Event{bare, full}}}
	prepared, err := store.Prepare(ctx, noon, given)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(bare, given[0].Events[0]); diff != "" {
		t.Errorf("the caller's event was changed:\n%s", diff)
	}
	got := prepared[0].Events
	if diff := cmp.Diff(full, got[1]); diff != "" {
		t.Errorf("a complete event was changed:\n%s", diff)
	}
	if v := got[0].ID.Version(); v != 7 {
		t.Errorf("the id made has version %d, want 7", v)
	}
	want := opened()
	want.ID, want.Revision, want.Correlation, want.Causation = got[0].ID, 1, correlation, causation
	want.Time = time.Date(2026, 1, 2, 11, 0, 0, 123_456_000, time.UTC)
	if diff := cmp.Diff(want, got[0]); diff != "" {
		t.Errorf("prepared (-want +got):\n%s", diff)
	}
	if prepared[0].Stream != "bank-1" || prepared[0].Expected != 3 {
		t.Errorf("batch is %+v", prepared[0])
	}
}

func TestPrepareNamesTheEventThatIsWrong(t *testing.T) {
	t.Parallel()
	wrong := opened()
	wrong.Data = []byte(`{"owner":"\u0000"}`)
	_, err := store.Prepare(t.Context(), noon, []store.Batch{{Stream: "bank-1", Events: []store.Event{opened(), wrong, opened()}}})
	if !errors.Is(err, store.ErrInvalid) {
		t.Fatalf("%v is no ErrInvalid", err)
	}
	if want := "append to bank-1: event 2 of 3: data: holds U+0000, which databases cannot store"; err.Error() != want {
		t.Errorf("the error says %q, want %q", err, want)
	}
}

func TestPrepareTakesAnEventOfTheLargestSize(t *testing.T) {
	t.Parallel()
	e := opened()
	e.Format, e.Metadata = store.Msgpack, store.Metadata(`{}`)
	for over, want := range map[int]bool{0: true, 1: false} {
		e.Data = make([]byte, store.MaxEventBytes-len(e.Metadata)+over)
		_, err := store.Prepare(t.Context(), noon, []store.Batch{{Stream: "s", Events: []store.Event{e}}})
		if (err == nil) != want {
			t.Errorf("%d bytes too many: %v, want it taken: %t", over, err, want)
		}
	}
}

// One database keeps these as jsonb, so no store takes what that cannot hold.
func TestPrepareRefusesNumbersThatAreOutOfRange(t *testing.T) {
	t.Parallel()
	for _, number := range []string{"1e131072", "1e-16384", "-1E+9999999999999999999"} {
		text := `{"a":[` + number + `]}`
		for _, e := range []store.Event{
			{Type: "t", Format: store.JSONB, Data: []byte(text)},
			{Type: "t", Format: store.JSON, Data: []byte(`{}`), Metadata: store.Metadata(text)},
		} {
			_, err := store.Prepare(t.Context(), noon, []store.Batch{{Stream: "s", Events: []store.Event{e}}})
			if !errors.Is(err, store.ErrInvalid) || !strings.Contains(err.Error(), "out of the range") {
				t.Errorf("%s in %s with metadata %q: %v, want an ErrInvalid", number, e.Format, e.Metadata, err)
			}
		}
		e := store.Event{Type: "t", Format: store.JSON, Data: []byte(text), Metadata: store.Metadata(`{"a":[1e131071,1e-16383]}`)}
		if _, err := store.Prepare(t.Context(), noon, []store.Batch{{Stream: "s", Events: []store.Event{e}}}); err != nil {
			t.Errorf("%s as text: %v", number, err)
		}
	}
}

func TestPrepareRefusesAnIDInTwoBatches(t *testing.T) {
	t.Parallel()
	e := opened()
	e.ID = uuid.New()
	_, err := store.Prepare(t.Context(), noon, []store.Batch{
		{Stream: "bank-1", Events: []store.Event{e}}, {Stream: "bank-2", Events: []store.Event{e}},
	})
	if !errors.Is(err, store.ErrInvalid) || !strings.Contains(err.Error(), e.ID.String()) {
		t.Errorf("error %v, want an ErrInvalid that names %s", err, e.ID)
	}
}

func TestCauseOfAnEventWithoutCorrelationIsItsID(t *testing.T) {
	t.Parallel()
	r := store.Recorded{ID: uuid.New()}
	for _, correlation := range []uuid.UUID{uuid.Nil, uuid.New()} {
		r.Correlation = correlation
		prepared, err := store.Prepare(store.CausedBy(t.Context(), r), noon, []store.Batch{{Stream: "s", Events: []store.Event{opened()}}})
		if err != nil {
			t.Fatal(err)
		}
		want := correlation
		if want == uuid.Nil {
			want = r.ID
		}
		if e := prepared[0].Events[0]; e.Correlation != want || e.Causation != r.ID {
			t.Errorf("correlation %s, causation %s, want %s, %s", e.Correlation, e.Causation, want, r.ID)
		}
	}
}
