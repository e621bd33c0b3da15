package store_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
)

func TestRecordKeepsEveryField(t *testing.T) {
	t.Parallel()
	e := store.Event{
		ID: uuid.New(), Type: "t", Revision: 7, Format: "own", Data: []byte("data"), Metadata: store.Metadata(`{"a":1}`),
		Correlation: uuid.New(), Causation: uuid.New(), Time: noon,
	}
	got := store.Batch{Stream: "bank-1", Expected: store.Any, Events: []store.Event{{}, e}}.Record(3, 10)
	want := []store.Recorded{
		{Position: 11, Stream: "bank-1", Version: 4, OriginalStream: "bank-1", OriginalVersion: 4},
		{
			Position: 12, Stream: "bank-1", Version: 5, OriginalStream: "bank-1", OriginalVersion: 5,
			ID: e.ID, Type: "t", Revision: 7, Correlation: e.Correlation, Causation: e.Causation,
			Format: "own", Data: []byte("data"), Metadata: store.Metadata(`{"a":1}`), Time: noon,
		},
	}
	e.Data[0], e.Metadata[0] = 'x', 'x'
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("recorded (-want +got):\n%s", diff)
	}
}
