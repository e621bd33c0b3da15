package store_test

import (
	"encoding/json"
	"errors"
	"math"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/esgen/esgen/runtime/store"
)

func TestMetadata(t *testing.T) {
	t.Parallel()
	m, err := store.NewMetadata(map[string]any{"user": "ada", "n": 12345678901234567, "nested": map[string]any{"b": nil}})
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"n":12345678901234567,"nested":{"b":null},"user":"ada"}`; m.String() != want {
		t.Errorf("encoded as %s, want %s", m, want)
	}
	for key, want := range map[string]string{"user": "ada", "n": "", "nested": "", "none": ""} {
		if got := m.Get(key); got != want {
			t.Errorf("Get(%q) is %q, want %q", key, got, want)
		}
	}
	all, err := m.Map()
	want := map[string]any{"user": "ada", "n": json.Number("12345678901234567"), "nested": map[string]any{"b": nil}}
	if diff := cmp.Diff(want, all); err != nil || diff != "" {
		t.Errorf("Map: %v (-want +got):\n%s", err, diff)
	}
}

func TestMetadataOfNothing(t *testing.T) {
	t.Parallel()
	m, err := store.NewMetadata(nil)
	if err != nil || m != nil {
		t.Errorf("metadata of nothing is %q, %v", m, err)
	}
	if all, err := m.Map(); all != nil || err != nil || m.Get("a") != "" {
		t.Errorf("Map of none is %v, %v", all, err)
	}
	if _, err := store.Metadata(`[`).Map(); err == nil || store.Metadata(`[`).Get("a") != "" {
		t.Errorf("broken metadata: %v", err)
	}
}

func TestMetadataNamesTheValueThatJSONCannotHold(t *testing.T) {
	t.Parallel()
	_, err := store.NewMetadata(map[string]any{"ok": 1, "rate": math.NaN()})
	var invalid *store.InvalidError
	if !errors.As(err, &invalid) || invalid.What != "metadata" {
		t.Fatalf("%v (%T), want an InvalidError about metadata", err, err)
	}
	if want := `metadata: value of "rate": json: unsupported value: NaN`; err.Error() != want {
		t.Errorf("the error says %q, want %q", err, want)
	}
}

func TestDoorbellWakesEverybodyWhoWaits(t *testing.T) {
	t.Parallel()
	var bell store.Doorbell
	bell.Ring() // nobody waits
	before := bell.Wait()
	select {
	case <-before:
		t.Fatal("an earlier ring woke a later waiter")
	default:
	}
	var waiters sync.WaitGroup
	for range 4 {
		ring := bell.Wait()
		waiters.Go(func() { <-ring })
	}
	bell.Ring()
	waiters.Wait()
	<-before
	if after := bell.Wait(); after == before {
		t.Error("a bell that has rung is waited for again")
	}
}
