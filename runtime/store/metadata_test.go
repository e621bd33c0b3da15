package store_test

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

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

func TestMetadataIsNotAlteredSilently(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		value any
		words string // none: it is taken
	}{
		{"\ufffd", ""},
		{`\ufffd`, ""},
		{`\\ufffd\u0000`, ""},
		{"<&>\u2028", ""},
		{json.RawMessage(`{"a":1.50}`), ""},
		{uuid.UUID{1}, ""},
		{noon, ""},
		{[]string{"a"}, ""},
		{int64(math.MaxInt64), ""},
		{"\xff", "holds invalid UTF-8"},
		{map[string]any{"a": []string{"\xff"}}, "holds invalid UTF-8"},
		{map[string]int{"\xff": 1}, "holds invalid UTF-8"},
		{json.RawMessage("\"\xff\""), "holds invalid UTF-8"},
		{"a\x00", "holds U+0000"},
		{json.RawMessage(`"\ud834"`), `holds the unpaired surrogate \ud834`},
		{json.RawMessage(`1e200000`), "out of the range"},
	} {
		m, err := store.NewMetadata(map[string]any{"key": c.value})
		if c.words != "" {
			if !errors.Is(err, store.ErrInvalid) || !strings.Contains(err.Error(), `value of "key": `) || !strings.Contains(err.Error(), c.words) {
				t.Errorf("%q: %s, %v, want an ErrInvalid that says %q of the key", c.value, m, err, c.words)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", c.value, err)
			continue
		}
		if text, ok := c.value.(string); ok && m.Get("key") != text {
			t.Errorf("%q became %q in %s", text, m.Get("key"), m)
		}
	}
	for _, key := range []string{"\xff", "a\x00"} {
		if m, err := store.NewMetadata(map[string]any{key: 1}); !errors.Is(err, store.ErrInvalid) || !strings.Contains(err.Error(), "key") {
			t.Errorf("key %q: %s, %v, want an ErrInvalid", key, m, err)
		}
	}
	if m, err := store.NewMetadata(map[string]any{"a<b": "<&>"}); err != nil || m.String() != `{"a<b":"<&>"}` {
		t.Errorf("%s, %v, want it without escapes", m, err)
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

func TestOfAKeyThatStandsTwiceTheLastValueCounts(t *testing.T) {
	t.Parallel()
	m := store.Metadata(`{"by":"ada","by":"bob"}`)
	if got := m.Get("by"); got != "bob" {
		t.Errorf("Get gives %q, want the last", got)
	}
	all, err := m.Map()
	if diff := cmp.Diff(map[string]any{"by": "bob"}, all); err != nil || diff != "" {
		t.Errorf("Map: %v (-want +got):\n%s", err, diff)
	}
}
