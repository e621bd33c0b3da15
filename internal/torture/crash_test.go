package torture_test

import (
	"context"
	"errors"
	"strconv"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/esgen/esgen/internal/pgtest"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/postgres"
)

// TestNobodyTakesAnothersCommitForItsOwn: a server that was killed gives the ids of
// transactions again of which nothing was written yet. Who asks what became of its
// transaction then learns of a stranger's.
func TestNobodyTakesAnothersCommitForItsOwn(t *testing.T) {
	t.Parallel()
	for others, want := range map[int]error{0: store.ErrUnavailable, 20: store.ErrUnknownOutcome} {
		t.Run(strconv.Itoa(others), func(t *testing.T) {
			t.Parallel()
			commitThroughACrash(t, others, want)
		})
	}
}

// commitThroughACrash kills the server under an open transaction, lets others work
// until one has its id, and commits.
func commitThroughACrash(t *testing.T, others int, want error) {
	t.Helper()
	// The id is not given again if the write-ahead log was flushed in time.
	server := pgtest.Start(t, pgtest.Options{Settings: map[string]string{"wal_writer_delay": "10s"}})
	s := migrated(t, server, "crash")
	event := func() store.Event { return store.Event{Type: "x", Format: store.JSON, Data: []byte(`{}`)} }
	crash := func() {
		server.Stop(pgtest.Kill)
		server.Restart()
	}
	var mine, theirs string
	_, err := postgres.InTx(t.Context(), s, func(ctx context.Context, tx pgx.Tx, tx2 *postgres.Tx) error {
		_, err := tx2.Append(ctx, store.Batch{Stream: "mine-1", Expected: store.Any, Events: []store.Event{event()}})
		if err == nil {
			err = tx.QueryRow(ctx, "SELECT pg_current_xact_id()::text").Scan(&mine)
		}
		if err != nil {
			return err
		}
		crash()
		for range others {
			if theirs == mine {
				break
			}
			_, err := postgres.InTx(ctx, s, func(ctx context.Context, tx pgx.Tx, tx2 *postgres.Tx) error {
				_, err := tx2.Append(ctx, store.Batch{Stream: "theirs-1", Expected: store.Any, Events: []store.Event{event()}})
				return errors.Join(err, tx.QueryRow(ctx, "SELECT pg_current_xact_id()::text").Scan(&theirs))
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if others > 0 && mine != theirs {
		t.Fatalf("transaction %s was not given again, the last one was %s: %v", mine, theirs, err)
	}
	if !errors.Is(err, want) {
		t.Errorf("a transaction that ended with the server, and %d others: %v, want: %v", others, err, want)
	}
	if n := stored(t, s, "mine-1"); n != 0 {
		t.Errorf("%d events of it are stored", n)
	}
}

func stored(t *testing.T, s *postgres.Store, stream string) (n int) {
	t.Helper()
	for _, err := range s.Read(t.Context(), store.Query{Stream: stream}) {
		switch {
		case errors.Is(err, store.ErrStreamNotFound):
		case err != nil:
			t.Fatal(err)
		default:
			n++
		}
	}
	return n
}
