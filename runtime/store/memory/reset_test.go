package memory_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
)

// Case 49 of the contract's numbering: only this store can be reset.
func TestResetReturnsToTheInitialState(t *testing.T) {
	t.Parallel()
	s := memory.New(memory.Config{})
	ctx := t.Context()
	given := opened()
	if _, err := s.Append(ctx, given); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Subscriptions().Open(ctx, store.Subscription{Name: "balances", Lanes: []store.Lane{{At: 1}}}); err != nil {
		t.Fatal(err)
	}
	if err := s.SaveSnapshot(ctx, store.Snapshot{Stream: "bank-1", Version: 1, Type: "bank.account", Format: store.Msgpack}); err != nil {
		t.Fatal(err)
	}
	bell := s.Local().Wait()
	s.Reset()
	<-bell // who waits reads again, and finds nothing

	for range s.Read(ctx, store.Query{}) {
		t.Error("there is still an event")
	}
	for _, err := range s.Read(ctx, store.Query{Stream: "bank-1"}) {
		if !errors.Is(err, store.ErrStreamNotFound) {
			t.Errorf("read of the stream: %v, want not found", err)
		}
	}
	if _, err := s.StreamInfo(ctx, "bank-1"); !errors.Is(err, store.ErrStreamNotFound) {
		t.Errorf("stream info: %v, want not found", err)
	}
	if _, err := s.LoadSnapshot(ctx, "bank-1"); !errors.Is(err, store.ErrSnapshotNotFound) {
		t.Errorf("snapshot: %v, want not found", err)
	}
	if _, err := s.Subscriptions().Find(ctx, "balances"); !errors.Is(err, store.ErrSubscriptionNotFound) {
		t.Errorf("subscription: %v, want not found", err)
	}
	appended, err := s.Append(ctx, given)
	want := []store.Appended{{Stream: "bank-1", Version: 1, First: 1, Last: 1}}
	if diff := cmp.Diff(want, appended); err != nil || diff != "" {
		t.Errorf("append after the reset: %v (-want +got):\n%s", err, diff)
	}
}

func TestReadUnderWayOutlivesReset(t *testing.T) {
	t.Parallel()
	s := memory.New(memory.Config{})
	for range 3 {
		if _, err := s.Append(t.Context(), opened()); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	for _, err := range s.Read(t.Context(), store.Query{Categories: []string{"bank"}}) {
		if err != nil {
			t.Fatal(err)
		}
		n++
		s.Reset()
	}
	if n != 3 {
		t.Errorf("read %d events, want the 3 that were there when it began", n)
	}
}

func TestConfigSetsFormatAndClock(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 6_789, time.UTC)
	s := memory.New(memory.Config{Format: store.Msgpack, Now: func() time.Time { return now }})
	if got := s.Format(); got != store.Msgpack {
		t.Errorf("format %s, want %s", got, store.Msgpack)
	}
	if _, err := s.Append(t.Context(), opened()); err != nil {
		t.Fatal(err)
	}
	for r, err := range s.Read(t.Context(), store.Query{}) {
		if want := now.Truncate(time.Microsecond); err != nil || r.Time != want {
			t.Errorf("time %s, want %s; error %v", r.Time, want, err)
		}
	}
	if got := memory.New(memory.Config{}).Format(); got != store.JSON {
		t.Errorf("default format %s, want %s", got, store.JSON)
	}
}

// A read must not hold a lock while its caller thinks: here two goroutines would
// wait for each other.
func TestReadHoldsNoLockWhileYielding(t *testing.T) {
	t.Parallel()
	s := memory.New(memory.Config{})
	for range 2 {
		if _, err := s.Append(t.Context(), opened()); err != nil {
			t.Fatal(err)
		}
	}
	for _, err := range s.Read(t.Context(), store.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		stored := make(chan error)
		go func() {
			_, err := s.Append(t.Context(), opened())
			stored <- err
		}()
		if err := <-stored; err != nil {
			t.Fatal(err)
		}
	}
}

func opened() store.Batch {
	return store.Batch{Stream: "bank-1", Expected: store.Any, Events: []store.Event{
		{Type: "bank.opened", Format: store.JSON, Data: []byte(`{}`)},
	}}
}

// What a subscription meets that goes on after a reset: another epoch, and nothing
// that it could move.
func TestEpochIsAnotherAfterReset(t *testing.T) {
	t.Parallel()
	s := memory.New(memory.Config{})
	ctx := t.Context()
	k := s.Subscriptions()
	if _, err := k.Open(ctx, store.Subscription{Name: "balances", Lanes: make([]store.Lane, 1)}); err != nil {
		t.Fatal(err)
	}
	m := store.Member{ID: uuid.New(), Lease: time.Hour, Runs: []string{"balances"}}
	before, err := k.Renew(ctx, m)
	if err != nil || len(before.Lanes) != 1 {
		t.Fatalf("Renew: %+v, %v", before, err)
	}
	s.Reset()
	hold := store.Hold{Subscription: "balances", Token: before.Lanes[0].Token}
	if err := k.Advance(ctx, store.Move{Hold: hold, To: 3}); !errors.Is(err, store.ErrFenced) {
		t.Errorf("Advance: %v, want a FencedError", err)
	}
	after, err := k.Renew(ctx, m)
	if err != nil || after.Epoch == before.Epoch || len(after.Lanes) != 0 || !after.Shares[0].Missing {
		t.Errorf("Renew after the reset: %+v, %v; before %+v", after, err, before)
	}
}
