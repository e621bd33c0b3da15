package ownstore

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
)

// TestFailingDiskLeavesTheOutcomeUnknown takes the file away under the store.
// Whether the line was written is told by opening the store again.
func TestFailingDiskLeavesTheOutcomeUnknown(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.file.Close(); err != nil {
		t.Fatal(err)
	}
	b := store.Batch{Stream: "bank-1", Expected: store.NoStream, Events: []store.Event{
		{ID: uuid.New(), Type: "bank.opened", Format: store.JSON, Data: []byte(`{}`)},
	}}
	_, err = s.Append(t.Context(), b)
	unknown, ok := errors.AsType[*store.UnknownOutcomeError](err)
	if !ok {
		t.Fatalf("append to a file that is gone: %v, want an UnknownOutcomeError", err)
	}
	if _, err := s.Append(t.Context(), b); err == nil || store.Retryable(err) || !strings.Contains(err.Error(), "open the store again") {
		t.Errorf("the next append: %v, want an error that says to open the store again", err)
	}
	for r := range s.Read(t.Context(), store.Query{}) {
		t.Errorf("read %s, whose outcome is unknown", r.ID)
	}

	again, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	for range 2 {
		if appended, err := again.Append(t.Context(), unknown.Batches...); err != nil || appended[0].Version != 1 {
			t.Errorf("append of the same batches after opening again: %+v, %v", appended, err)
		}
	}
}

func TestFailingDiskLeavesSubscriptions(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Subscriptions().Open(t.Context(), store.Subscription{Name: "balances", Lanes: make([]store.Lane, 1)}); err != nil {
		t.Fatal(err)
	}
	r, err := s.Subscriptions().Renew(t.Context(), store.Member{ID: uuid.New(), Lease: time.Hour, Runs: []string{"balances"}})
	if err != nil || len(r.Lanes) != 1 {
		t.Fatalf("Renew: %+v, %v", r, err)
	}
	hold := store.Hold{Subscription: "balances", Token: r.Lanes[0].Token}
	blocked := filepath.Join(dir, "subscriptions.new")
	if err := os.Mkdir(blocked, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := s.Subscriptions().Advance(t.Context(), store.Move{Hold: hold, To: 5}); err == nil {
		t.Error("Advance succeeded, but cannot have written its file")
	}
	if err := os.Remove(blocked); err != nil {
		t.Fatal(err)
	}
	if c, err := s.Subscriptions().Find(t.Context(), "balances"); err != nil || c.Lanes[0].At != 0 {
		t.Errorf("subscription after an Advance that failed: %+v, %v, want it at 0", c, err)
	}
}

func TestDamagedSubscriptionsAreAnError(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "subscriptions"), []byte(`{"subscriptions":`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir); err == nil {
		t.Error("Open took damaged subscriptions")
	}
}
