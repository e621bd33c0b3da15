package sqlite_test

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/sqlite"
)

func TestOpenChecksItsArguments(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{
		"":                           "use package memory",
		":memory:":                   "use package memory",
		"file::memory:?cache=shared": "use package memory",
		"file:a?mode=memory":         "use package memory",
		"file:store.db":              "give a path",
		"a\x00b":                     "U+0000",
	} {
		s, err := sqlite.Open(file, sqlite.Config{})
		if s != nil || !errors.Is(err, store.ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("Open(%q): %v, want an InvalidError that says: %s", file, err, want)
		}
	}
	for _, c := range []sqlite.Config{{Synchronous: 7}, {Readers: -1}} {
		if _, err := sqlite.Open("store.db", c); !errors.Is(err, store.ErrInvalid) {
			t.Errorf("Open with %+v: %v, want an InvalidError", c, err)
		}
	}
}

func TestFilesMayHaveAnyName(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"a b.db", "what?.db", "100%.db", "%41.db", "a#b.db", "a&_pragma=x.db", "bänk.db", ":memory", "a;b.db"} {
		file := filepath.Join(dir, name)
		s := migrated(t, file, sqlite.Config{})
		if _, err := s.Append(t.Context(), one("bank-1")); err != nil {
			t.Errorf("%q: %v", name, err)
		}
		closeStore(t, s)
		if _, err := os.Stat(file); err != nil {
			t.Error(err)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 9 {
		t.Errorf("the directory holds %v, %v, want the 9 files alone", entries, err)
	}
}

func TestClosedStoreRefusesCalls(t *testing.T) {
	t.Parallel()
	s := migrated(t, newFile(t), sqlite.Config{})
	if _, err := s.Append(t.Context(), one("bank-1")); err != nil {
		t.Fatal(err)
	}
	// A read that was under way ends with the error, too.
	for _, err := range s.Read(t.Context(), store.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		closeStore(t, s)
	}
	closeStore(t, s)
	_, appending := s.Append(t.Context(), one("bank-1"))
	_, reading := collect(t.Context(), s, store.Query{})
	_, describing := s.StreamInfo(t.Context(), "bank-1")
	_, loading := s.LoadSnapshot(t.Context(), "bank-1")
	_, opening := s.Subscriptions().Open(t.Context(), store.Subscription{Name: "a", Lanes: make([]store.Lane, 1)})
	_, looking := s.Pending(t.Context())
	for call, err := range map[string]error{
		"Append": appending, "Read": reading, "StreamInfo": describing, "LoadSnapshot": loading,
		"Subscriptions.Open": opening, "Pending": looking, "Migrate": s.Migrate(t.Context()),
	} {
		if !errors.Is(err, store.ErrClosed) {
			t.Errorf("%s of a closed store: %v", call, err)
		}
	}
	unused := opened(t, newFile(t), sqlite.Config{})
	closeStore(t, unused)
}

// TestACheckpointThatIsHalfDoneIsNoDamage opens a copy of a file as a checkpoint
// leaves it that was killed, or that another process makes meanwhile: what its first
// page says of its length is true only with the log.
func TestACheckpointThatIsHalfDoneIsNoDamage(t *testing.T) {
	t.Parallel()
	file := newFile(t)
	s := migrated(t, file, sqlite.Config{})
	const events = 300 // the file grows
	for range events {
		if _, err := s.Append(t.Context(), one("a-1")); err != nil {
			t.Fatal(err)
		}
	}
	half := newFile(t)
	for _, part := range []string{"", "-wal"} {
		data, err := os.ReadFile(file + part) // nobody has a lock
		if err != nil {
			t.Fatal(err)
		}
		if part == "" {
			binary.BigEndian.PutUint32(data[28:], 100_000) // pages
			copy(data[92:96], data[24:28])                 // as valid as the rest of the page
		}
		if err := os.WriteFile(half+part, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	all, err := collect(t.Context(), opened(t, half, sqlite.Config{}), store.Query{})
	if err != nil || len(all) != events {
		t.Errorf("%d events, want %d: %v", len(all), events, err)
	}
}
