package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
)

func TestVerifyLooksAtSubscriptions(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s full) {
		ctx, k := t.Context(), s.Subscriptions()
		all := put(ctx, t, s, "bank-1", 3)
		put(ctx, t, s, "bank-2", 3)
		hold := map[string]store.Hold{}
		for name, settings := range map[string]string{
			"all": "$all; 1 lane by stream", "stream": `stream "bank-1"; 1 lane by stream`, "short": `categories "bank"; 4 lanes by metadata "x"`,
		} {
			_, err := k.Open(ctx, store.Subscription{Name: name, Settings: settings, Lanes: make([]store.Lane, 1)})
			ok(t, err)
			r, err := k.Renew(ctx, store.Member{ID: uuid.New(), Lease: time.Hour, Runs: []string{name}})
			ok(t, err)
			hold[name] = store.Hold{Subscription: name, Token: r.Lanes[0].Token}
		}
		park := func(name string, state store.ParkedState, at uint64, stream string, version store.Version, position store.Position, id uuid.UUID) {
			ok(t, k.Park(ctx, hold[name], store.Parked{
				Key: stream, At: at, Stream: stream, Version: version, Position: position, EventID: id, Type: "x", State: state,
			}))
		}
		wrong := func(want ...string) {
			t.Helper()
			r := verifiedBy(t, s, streamsAtOnce)
			if r.Subscriptions != 3 || int(r.Wrong) != len(want) {
				t.Fatalf("%d subscriptions, %d problems, want 3 and %d: %s", r.Subscriptions, r.Wrong, len(want), strings.Join(r.Problems, "\n"))
			}
			for i, text := range want {
				if !strings.Contains(r.Problems[i], text) {
					t.Errorf("got %q, want %q", r.Problems[i], text)
				}
			}
		}
		short := `subscription short has 1 lane, its settings "categories \"bank\"; 4 lanes by metadata \"x\"" want 4`
		park("all", store.ParkedWaiting, 2, "bank-1", 2, 2, all[1].ID)
		park("stream", store.ParkedRetry, 3, "bank-1", 3, 0, all[2].ID)
		park("all", store.ParkedDiscarded, 3, "bank-9", 1, 3, uuid.New()) // on record only
		wrong(short)

		park("all", store.ParkedRetry, 5, "bank-2", 2, 5, uuid.New())
		park("stream", store.ParkedWaiting, 9, "bank-1", 9, 0, uuid.New())
		ok(t, k.Advance(ctx, store.Move{Hold: hold["all"], To: 7}, store.Move{Hold: hold["stream"], To: 4}))
		wrong("subscription all: lane 0 has handled all up to 7, the last event is 6",
			"subscription all: version 2 of bank-2, parked under key bank-2 at 5, is not there any more",
			short,
			"subscription stream: lane 0 has handled all up to 4, the last event is 3",
			"subscription stream: version 9 of bank-1, parked under key bank-1 at 9, is not there any more")
	})
}
