package store_test

import (
	"encoding/json"
	"testing"
	"time"

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

// What a store has written so must stay readable.
func TestJSONOfWhatIsStoredNeverChanges(t *testing.T) {
	t.Parallel()
	for want, value := range map[string]any{
		`{"position":12,"stream":"bank-1","version":5,"original_stream":"bank-1","original_version":5,` +
			`"id":"00000000-0000-0000-0000-000000000001","type":"t","revision":7,` +
			`"correlation":"00000000-0000-0000-0000-000000000002","causation":"00000000-0000-0000-0000-000000000003",` +
			`"format":"own","data":"AP8=","metadata":"e30=","time":"2026-01-02T11:00:00.123456Z"}`: store.Recorded{
			Position: 12, Stream: "bank-1", Version: 5, OriginalStream: "bank-1", OriginalVersion: 5,
			ID: id(1), Type: "t", Revision: 7, Correlation: id(2), Causation: id(3),
			Format: "own", Data: []byte{0, 0xff}, Metadata: store.Metadata(`{}`), Time: noon.UTC().Truncate(time.Microsecond),
		},
		`{"name":"balances","settings":"all","at":18446744073709551615,"time":"2026-01-02T11:00:00.123456Z"}`: store.Checkpoint{
			Name: "balances", Settings: "all", At: 1<<64 - 1, Time: noon.UTC().Truncate(time.Microsecond),
		},
	} {
		got, err := json.Marshal(value)
		if err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("JSON of a %T (-want +got):\n%s", value, diff)
		}
	}
}
