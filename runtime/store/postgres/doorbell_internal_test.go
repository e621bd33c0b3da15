package postgres

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// However many ring, there is one notification in each pause, the first is sent at
// once, and the last ring is never lost.
func TestRingsAreCoalescedAndTheLastOneIsSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var rung, sent, sentFor atomic.Int64
		r := newRinger(func(context.Context) error {
			sent.Add(1)
			sentFor.Store(rung.Load())
			return nil
		})
		began := time.Now()
		for range 1000 {
			rung.Add(1)
			r.ring()
			synctest.Wait()
			if rung.Load() == 1 && sent.Load() != 1 {
				t.Error("the first ring waits")
			}
			time.Sleep(time.Millisecond) //nolint:forbidigo // of a bubble
		}
		took := time.Since(began)
		time.Sleep(ringPause) //nolint:forbidigo // of a bubble
		synctest.Wait()
		if most := int64(took/ringPause) + 2; sent.Load() > most || sent.Load() < most/2 {
			t.Errorf("%d notifications in %s, want one in each %s", sent.Load(), took, ringPause)
		}
		if sentFor.Load() != 1000 {
			t.Errorf("the last notification was sent after ring %d of 1000", sentFor.Load())
		}
		time.Sleep(ringPause) //nolint:forbidigo // of a bubble
		synctest.Wait()
		if r.done != nil {
			t.Error("the goroutine goes on with nothing to send")
		}
	})
}

// A notification that fails is sent again, and not for ever; the next ring begins anew.
func TestRingsThatFailAreSentAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tries, fail := 0, 3
		r := newRinger(func(context.Context) error {
			if tries++; tries <= fail {
				return errors.New("away")
			}
			return nil
		})
		r.ring()
		time.Sleep(time.Minute) //nolint:forbidigo // of a bubble
		synctest.Wait()
		if tries != 4 {
			t.Errorf("%d tries, want 4", tries)
		}
		tries, fail = 0, 1000
		r.ring()
		time.Sleep(time.Hour) //nolint:forbidigo // of a bubble
		synctest.Wait()
		if tries != maxRings {
			t.Errorf("%d tries, want %d", tries, maxRings)
		}
		tries, fail = 0, 0
		r.ring()
		synctest.Wait()
		if tries != 1 {
			t.Errorf("%d tries, want 1", tries)
		}
		r.ring()
		if err := r.close(t.Context()); err != nil || tries != 2 {
			t.Errorf("%d tries, %v: what was due at the end was not sent", tries, err)
		}
		r.ring()
		synctest.Wait()
		if tries != 2 {
			t.Error("it rings after its end")
		}
	})
}

func TestChannelsDifferAndFit(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("s", 57)
	seen := make(map[string]string)
	for _, schema := range []string{"esgen", "a", long, long + "1", long + "2", strings.Repeat("é", 31), "esgen:a"} {
		channel := channelOf(schema)
		if len(channel) > 63 || seen[channel] != "" {
			t.Errorf("schema %s has channel %s, of %d bytes, which is also that of %q", schema, channel, len(channel), seen[channel])
		}
		seen[channel] = schema
	}
}
