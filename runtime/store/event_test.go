package store_test

import (
	"encoding/json"
	"math"
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
	then := noon.UTC().Truncate(time.Microsecond)
	for want, value := range map[string]any{
		`{"position":12,"stream":"bank-1","version":5,"original_stream":"bank-1","original_version":5,` +
			`"id":"00000000-0000-0000-0000-000000000001","type":"t","revision":7,` +
			`"correlation":"00000000-0000-0000-0000-000000000002","causation":"00000000-0000-0000-0000-000000000003",` +
			`"format":"own","data":"AP8=","metadata":"e30=","time":"2026-01-02T11:00:00.123456Z"}`: store.Recorded{
			Position: 12, Stream: "bank-1", Version: 5, OriginalStream: "bank-1", OriginalVersion: 5,
			ID: id(1), Type: "t", Revision: 7, Correlation: id(2), Causation: id(3),
			Format: "own", Data: []byte{0, 0xff}, Metadata: store.Metadata(`{}`), Time: then,
		},
		`{"epoch":"00000000-0000-0000-0000-000000000001","subscriptions":[{"name":"balances","settings":"all","paused":true,` +
			`"created":"2026-01-02T11:00:00.123456Z","lanes":[{"subscription":"balances","lane":0,"at":9223372036854775807,"token":3,` +
			`"owner":"00000000-0000-0000-0000-000000000002","error":"away","error_since":"2026-01-02T11:00:00.123456Z",` +
			`"changed":"2026-01-02T11:00:00.123456Z"}]}],"parked":[{"subscription":"balances","lane":0,"key":"bank-1","at":7,` +
			`"stream":"bank-1","version":5,"position":7,"event_id":"00000000-0000-0000-0000-000000000003","type":"t","state":"parked",` +
			`"attempts":2,"error":"sick","reason":"later","time":"2026-01-02T11:00:00.123456Z"}]}`: store.Kept{
			Epoch: id(1),
			Subscriptions: []store.Subscription{{Name: "balances", Settings: "all", Paused: true, Created: then, Lanes: []store.Lane{{
				Subscription: "balances", At: math.MaxInt64, Token: 3, Owner: id(2), Label: "not kept", Expires: then,
				Error: "away", ErrorSince: then, Changed: then,
			}}}},
			Parked: []store.Parked{{
				Subscription: "balances", Key: "bank-1", At: 7, Stream: "bank-1", Version: 5, Position: 7, EventID: id(3), Type: "t",
				State: store.ParkedWaiting, Attempts: 2, Error: "sick", Reason: "later", Time: then,
			}},
			Members: []store.KeptMember{{}},
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
