package ownstore_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/esgen/esgen/docs/ownstore"
	"github.com/esgen/esgen/runtime/store"
)

// TestTornLastLineIsCutOff cuts the file at every byte of its last line, as a
// crash may, and appends again.
func TestTornLastLineIsCutOff(t *testing.T) {
	t.Parallel()
	whole, lastLine := written(t)
	for size := lastLine; size < len(whole); size++ {
		s, dir := openedWith(t, whole[:size])
		if got := count(t, s); got != 1 {
			t.Fatalf("cut at byte %d: %d events, want 1", size, got)
		}
		appendOne(t, s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		again, err := ownstore.Open(dir)
		if err != nil {
			t.Fatalf("cut at byte %d, appended, opened again: %v", size, err)
		}
		if got := count(t, again); got != 2 {
			t.Fatalf("cut at byte %d, appended, opened again: %d events, want 2", size, got)
		}
		if err := again.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDamageBeforeTheLastLineIsAnError(t *testing.T) {
	t.Parallel()
	whole, lastLine := written(t)
	for what, c := range map[string]struct {
		text []byte
		says string
	}{
		"a byte":              {whole[1:], "position 1;"},
		"a line":              {whole[lastLine:], "position 1;"},
		"the end of a line":   {slices.Delete(slices.Clone(whole), lastLine-1, lastLine), "position 1;"},
		"an event":            {append([]byte("[]\n"), whole...), "position 1;"},
		"a line, added twice": {append(slices.Clone(whole), whole[lastLine:]...), "position 3;"},
	} {
		dir := t.TempDir()
		write(t, dir, c.text)
		if _, err := ownstore.Open(dir); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("Open of a file damaged by %s: %v, want an error that says %q", what, err, c.says)
		}
	}
}

func TestClosedStoreRefusesAppends(t *testing.T) {
	t.Parallel()
	s, _ := openedWith(t, nil)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := s.Append(t.Context(), one())
	if !errors.Is(err, store.ErrClosed) || store.Retryable(err) {
		t.Fatalf("append to a closed store: %v, want an ErrClosed that is not to be retried", err)
	}
}

// written returns a file of two appends, and where its last line begins.
func written(t *testing.T) (text []byte, lastLine int) {
	t.Helper()
	s, dir := openedWith(t, nil)
	appendOne(t, s)
	first, err := os.ReadFile(filepath.Join(dir, "events"))
	if err != nil {
		t.Fatal(err)
	}
	appendOne(t, s)
	text, err = os.ReadFile(filepath.Join(dir, "events"))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return text, len(first)
}

func openedWith(t *testing.T, text []byte) (*ownstore.Store, string) {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, text)
	s, err := ownstore.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s, dir
}

func write(t *testing.T, dir string, text []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "events"), text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func one() store.Batch {
	return store.Batch{Stream: "bank-1", Expected: store.Any, Events: []store.Event{
		{Type: "bank.opened", Format: store.JSON, Data: []byte(`{}`)},
	}}
}

func appendOne(t *testing.T, s *ownstore.Store) {
	t.Helper()
	if _, err := s.Append(t.Context(), one()); err != nil {
		t.Fatal(err)
	}
}

func count(t *testing.T, s *ownstore.Store) int {
	t.Helper()
	n := 0
	for _, err := range s.Read(t.Context(), store.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}
