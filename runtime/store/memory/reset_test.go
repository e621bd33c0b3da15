package memory_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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
	if _, err := s.Checkpoints().Open(ctx, store.Checkpoint{Name: "balances", At: 1}); err != nil {
		t.Fatal(err)
	}
	if err := s.SaveSnapshot(ctx, store.Snapshot{Stream: "bank-1", Version: 1, Type: "bank.account", Format: store.Msgpack}); err != nil {
		t.Fatal(err)
	}
	bell := s.Doorbell()
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
	if c, err := s.Checkpoints().Open(ctx, store.Checkpoint{Name: "balances"}); err != nil || c.At != 0 {
		t.Errorf("checkpoint: %+v, %v, want a new one", c, err)
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

// What a subscription meets that goes on after a reset.
func TestCheckpointIsMissingAfterReset(t *testing.T) {
	t.Parallel()
	s := memory.New(memory.Config{})
	ctx := t.Context()
	for range 2 {
		if _, err := s.Append(ctx, opened()); err != nil {
			t.Fatal(err)
		}
	}
	checkpoints := s.Checkpoints()
	if _, err := checkpoints.Open(ctx, store.Checkpoint{Name: "balances", At: 2}); err != nil {
		t.Fatal(err)
	}
	s.Reset()
	if _, err := s.Append(ctx, opened()); err != nil {
		t.Fatal(err)
	}
	for r, err := range s.Read(ctx, store.Query{FromPosition: 3}) {
		t.Errorf("read %+v, %v behind position 2, want nothing until there are as many events", r, err)
	}
	var moved *store.CheckpointError
	if err := checkpoints.Advance(ctx, "balances", 2, 3); !errors.As(err, &moved) || !moved.Missing {
		t.Errorf("Advance: %v, want a CheckpointError with Missing", err)
	}
}
