package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/sqlite"
)

// What a hard delete allows itself, it allows nobody else, before or after: not even
// on its own connection.
func TestHardDeleteLeavesNothingSwitchedOn(t *testing.T) {
	t.Parallel()
	file := newFile(t)
	s := migrated(t, file, sqlite.Config{HardDeletes: true})
	ids := fill(t, s, "bank-1", 3)
	if _, err := s.Link(t.Context(), "list-1", store.NoStream, ids...); err != nil {
		t.Fatal(err)
	}
	fill(t, s, "bank-2", 2)
	if err := s.Truncate(t.Context(), "bank-1", 2, store.Hard); err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(t.Context(), "bank-2", 2, store.Hard); err != nil {
		t.Fatal(err)
	}
	db := raw(t, file)
	var removing int
	if err := db.QueryRow("SELECT removing FROM store").Scan(&removing); err != nil || removing != 0 {
		t.Fatalf("removing is %d, %v, want 0", removing, err)
	}
	for _, statement := range []string{
		"DELETE FROM events", "DELETE FROM streams", "DELETE FROM links",
		"UPDATE links SET position = 3", "UPDATE links SET version = 9",
		"INSERT OR REPLACE INTO links SELECT stream, version, position FROM links",
		"INSERT OR REPLACE INTO links SELECT stream, version + 7, position FROM links",
		"INSERT INTO links SELECT stream, version, 4 FROM events", // a version is an event's or a link's
		"UPDATE streams SET name = 'bank-9' WHERE name = 'bank-1'", "UPDATE streams SET created = 0",
	} {
		if _, err := db.Exec(statement); err == nil {
			t.Errorf("%s: no error", statement)
		}
	}
	if all, err := collect(t.Context(), s, store.Query{}); err != nil || len(all) != 2 {
		t.Errorf("%d events are stored, %v, want 2", len(all), err)
	}
	if all, err := collect(t.Context(), s, store.Query{Stream: "list-1"}); err != nil || len(all) != 2 {
		t.Errorf("%d links are stored, %v, want 2", len(all), err)
	}
}

func fill(t *testing.T, s *sqlite.Store, stream string, n int) []uuid.UUID {
	t.Helper()
	b := store.Batch{Stream: stream, Expected: store.Any}
	ids := make([]uuid.UUID, n)
	for i := range ids {
		ids[i] = uuid.New()
		e := event("1")
		e.ID = ids[i]
		b.Events = append(b.Events, e)
	}
	if _, err := s.Append(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	return ids
}

// Filters pass several windows of events, links and holes, and find what lies at
// their ends.
func TestRareEventsAreFoundInALongStore(t *testing.T) {
	t.Parallel()
	s := migrated(t, newFile(t), sqlite.Config{HardDeletes: true})
	const window, events = 100, 501
	s.SetWindow(window)
	rare := map[store.Version]bool{1: true, window: true, window + 1: true, events: true}
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	b := store.Batch{Stream: "bank-1", Expected: store.NoStream}
	ids := make([]uuid.UUID, events)
	for i := range ids {
		e := event("1")
		ids[i] = uuid.New()
		e.ID, e.Time = ids[i], at
		if rare[store.Version(i+1)] {
			e.Time, e.Metadata = at.Add(time.Hour), store.Metadata(`{"rare":"yes"}`)
		}
		b.Events = append(b.Events, e)
	}
	fill(t, s, "gone-1", 250)
	if _, err := s.Append(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	fill(t, s, "gone-1", 250)
	if err := s.Delete(t.Context(), "gone-1", store.Any, store.Hard); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Link(t.Context(), "list-1", store.NoStream, ids...); err != nil {
		t.Fatal(err)
	}
	for name, q := range map[string]store.Query{
		"since":    {Since: at.Add(time.Minute), Until: at.Add(2 * time.Hour)},
		"metadata": {Metadata: map[string]string{"rare": "yes"}},
	} {
		for _, of := range []store.Query{{}, {Stream: "bank-1"}, {Stream: "list-1"}, {Categories: []string{"bank"}}, {Categories: []string{"bank", "none"}}} {
			q.Stream, q.Categories = of.Stream, of.Categories
			for _, q.Backward = range []bool{false, true} {
				all, err := collect(t.Context(), s, q)
				if err != nil || len(all) != len(rare) {
					t.Errorf("%s of %s: %d events, %v, want %d", name, q, len(all), err, len(rare))
				}
				for _, r := range all {
					if !rare[r.OriginalVersion] {
						t.Errorf("%s of %s: version %d", name, q, r.OriginalVersion)
					}
				}
			}
		}
	}
}

// A disk that hangs in COMMIT: who waits no longer is told that the outcome is
// unknown, and the stream shows it.
func TestOutcomeOfALinkIsUnknownWhileTheDiskHangs(t *testing.T) {
	t.Parallel()
	file := newFile(t)
	ids := fill(t, migrated(t, file, sqlite.Config{}), "bank-1", 1)
	for name, change := range map[string]func(context.Context, *sqlite.Store) error{
		"link": func(ctx context.Context, s *sqlite.Store) error {
			_, err := s.Link(ctx, "list-1", store.NoStream, ids...)
			return err
		},
		"delete": func(ctx context.Context, s *sqlite.Store) error { return s.Delete(ctx, "bank-1", 1, store.Soft) },
	} {
		begun, hang := make(chan struct{}), make(chan struct{})
		var once sync.Once
		faulty(t, file, &fault{commit: func() {
			once.Do(func() { close(begun); <-hang })
		}})
		s := opened(t, file, sqlite.Config{})
		ctx, cancel := context.WithCancel(t.Context())
		outcome := make(chan error, 1)
		go func() { outcome <- change(ctx, s) }()
		<-begun
		cancel()
		err := <-outcome
		want := store.ErrUnknownOutcome
		if name == "delete" {
			want = store.ErrUnavailable // for it may simply be made again
		}
		if !errors.Is(err, want) || !errors.Is(err, context.Canceled) || store.Retryable(err) != (name == "delete") {
			t.Errorf("%s that hangs in COMMIT: %v, want %v", name, err, want)
		}
		close(hang)
		if err := change(t.Context(), s); !errors.Is(err, store.ErrConflict) && !errors.Is(err, store.ErrStreamDeleted) {
			t.Errorf("%s again: %v, want that it was made", name, err)
		}
		closeStore(t, s)
	}
}

// Listing and describing never sort or walk more than they must: pages begin where
// the last one ended, whatever the order.
func TestListsPageThroughManyStreams(t *testing.T) {
	t.Parallel()
	s := migrated(t, newFile(t), sqlite.Config{Synchronous: sqlite.Normal})
	const streams = 1300
	for i := range streams {
		fill(t, s, fmt.Sprintf("bank-%04d", (i*7)%streams), 1+i%3)
	}
	for _, order := range []store.StreamOrder{store.ByName, store.ByCreation, store.ByVersion} {
		for _, descending := range []bool{false, true} {
			seen := map[string]bool{}
			for info, err := range s.Streams(t.Context(), store.StreamQuery{Order: order, Descending: descending, Prefix: "bank-"}) {
				if err != nil || seen[info.Stream] {
					t.Fatalf("order %d descending %t: %+v, %v, seen %t", order, descending, info, err, seen[info.Stream])
				}
				seen[info.Stream] = true
			}
			if len(seen) != streams {
				t.Errorf("order %d descending %t: %d streams, want %d", order, descending, len(seen), streams)
			}
		}
	}
}
