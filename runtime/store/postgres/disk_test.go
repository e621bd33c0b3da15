package postgres_test

import (
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/esgen/esgen/internal/pgtest"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/postgres"
)

// TestADiskThatIsFullForEvents fills it until the table cannot grow. The server goes
// on, and what it refused is not there.
func TestADiskThatIsFullForEvents(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t, pgtest.Small(t, 256<<20))
	for _, off := range []bool{false, true} {
		pool := server.Pool(t)
		s := openOn(t, pool, postgres.Config{NoGroupCommit: off, Schema: map[bool]string{false: "grouped", true: "alone"}[off]})
		payload := make([]byte, 1<<20)
		if _, err := rand.Read(payload); err != nil { // nothing that a table compresses
			t.Fatal(err)
		}
		server.FillDisk()
		stored := 0
		var refused store.Batch
		var err error
		for err == nil && stored < 100 {
			refused = batch("a-1", store.Version(stored), store.Event{Type: "x", Format: store.Msgpack, Data: payload}, event("y", `{}`))
			if _, err = s.Append(t.Context(), refused); err == nil {
				stored += 2
			}
		}
		var unavailable *store.UnavailableError
		if !errors.As(err, &unavailable) || !store.Retryable(err) || errors.Is(err, store.ErrUnknownOutcome) ||
			!strings.Contains(err.Error(), "append to a-1") || !strings.Contains(err.Error(), "53100") || !strings.Contains(err.Error(), "No space left on device") {
			t.Errorf("got %v (%T)", err, err)
		}
		if n := len(checkOrder(t, s)); n != stored {
			t.Errorf("with the disk full %d events are stored, want %d", n, stored)
		}
		server.FreeDisk()
		if _, err := s.Append(t.Context(), refused); err != nil {
			t.Errorf("with room again: %v", err)
		}
		if n := len(checkOrder(t, s)); n != stored+2 {
			t.Errorf("%d events are stored, want %d", n, stored+2)
		}
		checkPool(t, pool)
	}
}

// TestADiskThatIsFullAtCommit leaves no room for the log, so that the server cannot
// write the commit itself, and panics. Who appends is not told that it was stored.
func TestADiskThatIsFullAtCommit(t *testing.T) {
	t.Parallel()
	for _, off := range []bool{false, true} {
		server := pgtest.Start(t, pgtest.Small(t, 128<<20))
		pool := server.Pool(t)
		s := openOn(t, pool, postgres.Config{NoGroupCommit: off, Timeout: 2 * time.Second})
		if _, err := s.Append(t.Context(), batch("a-1", store.NoStream, event("x", `{}`))); err != nil {
			t.Fatal(err)
		}
		admin, err := pgx.Connect(t.Context(), server.URL())
		if err != nil {
			t.Fatal(err)
		}
		defer admin.Close(t.Context())
		server.FillDisk()
		// The next that writes needs a new file of the log.
		if _, err := admin.Exec(t.Context(), "SELECT pg_switch_wal()"); err != nil {
			t.Fatal(err)
		}
		b := batch("a-1", 1, event("x", `{}`))
		_, err = s.Append(t.Context(), b)
		if err == nil || !store.Retryable(err) || !strings.Contains(err.Error(), "a-1") ||
			!errors.Is(err, store.ErrUnknownOutcome) && !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("got %v (%T)", err, err)
		}
		t.Logf("grouped=%t: %v", !off, err)
		if server.Runs() {
			server.Stop(pgtest.Immediate)
		}
		server.FreeDisk()
		server.Restart()
		got, err := s.Append(t.Context(), b)
		if err != nil || got[0].Version != 2 {
			t.Errorf("with room again: %+v, %v", got, err)
		}
		if n := len(checkOrder(t, s)); n != 2 {
			t.Errorf("%d events are stored, want 2", n)
		}
		checkPool(t, pool)
	}
}
