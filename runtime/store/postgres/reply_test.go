package postgres_test

import (
	"context"
	"errors"
	"regexp"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/esgen/esgen/internal/pgtest"
	"github.com/esgen/esgen/internal/pgtest/pgproxy"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/postgres"
)

// lose lets do run, cuts its connection at a point of the first statement whose text
// fits, and lets others act before the store learns of it.
func (s behind) lose(t *testing.T, at pgproxy.Point, sql string, meanwhile func(), do func() error) error {
	t.Helper()
	trap := s.proxy.Arm(pgproxy.Fault{At: at, Do: pgproxy.Hold, SQL: regexp.MustCompile(sql)})
	cut := make(chan struct{})
	go func() {
		defer close(cut)
		<-trap.Hit()
		if meanwhile != nil {
			meanwhile()
		}
		s.proxy.Cut()
	}()
	err := do()
	if trap.Hits() != 1 {
		t.Fatalf("%d replies were lost, so this test shows nothing: %v", trap.Hits(), err)
	}
	<-cut
	return err
}

// given appends n events to a stream and returns their ids.
func given(t *testing.T, s store.Streams, stream string, n int) (ids []uuid.UUID) {
	t.Helper()
	b := store.Batch{Stream: stream, Expected: store.NoStream}
	for range n {
		e := event("x", `{}`)
		e.ID = uuid.New()
		b.Events, ids = append(b.Events, e), append(ids, e.ID)
	}
	mustAppend(t, s, b)
	return ids
}

// TestALostReplyToALinkIsLearned cuts the connection of a link before the server got
// it, and after it has answered.
func TestALostReplyToALinkIsLearned(t *testing.T) {
	t.Parallel()
	const sql = `\.link\(`
	for name, at := range map[string]pgproxy.Point{"before": pgproxy.Request, "answered": pgproxy.Answer} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openBehind(t, 2, postgres.Config{})
			ids := given(t, s, "a-1", 6)
			for _, c := range []struct {
				expected, version store.Version
				ids               []uuid.UUID
			}{{store.NoStream, 2, ids[:2]}, {2, 3, ids[2:3]}, {store.StreamExists, 4, ids[3:4]}, {store.Any, 5, ids[4:5]}} {
				var got store.Appended
				err := s.lose(t, at, sql, nil, func() (err error) {
					got, err = s.Link(t.Context(), "list-1", c.expected, c.ids...)
					return err
				})
				if want := (store.Appended{Stream: "list-1", Version: c.version}); err != nil || got != want {
					t.Errorf("expecting %s: %+v, %v, want %+v", c.expected, got, err, want)
				}
			}
			// A refusal is one, whether or not its reply came.
			for _, c := range []struct {
				expected store.Version
				id       uuid.UUID
				want     error
			}{{2, ids[5], store.ErrConflict}, {store.NoStream, ids[5], store.ErrConflict}, {5, ids[1], store.ErrDuplicateEvent}, {store.Any, uuid.New(), store.ErrEventNotFound}} {
				err := s.lose(t, at, sql, nil, func() error {
					_, err := s.Link(t.Context(), "list-1", c.expected, c.id)
					return err
				})
				if !errors.Is(err, c.want) || errors.Is(err, store.ErrUnknownOutcome) {
					t.Errorf("expecting %s: %v, want: %v", c.expected, err, c.want)
				}
			}
			s.holds(t, "list-1", ids[:5]...)
			checkPool(t, s.pool)
		})
	}
}

// holds checks what a stream shows.
func (s behind) holds(t *testing.T, stream string, want ...uuid.UUID) {
	t.Helper()
	all, err := collect(s.seen.Read(t.Context(), store.Query{Stream: stream}))
	if err != nil && (len(want) > 0 || !errors.Is(err, store.ErrStreamNotFound)) {
		t.Fatal(err)
	}
	got := make([]uuid.UUID, 0, len(all))
	for _, r := range all {
		got = append(got, r.ID)
	}
	if len(got) != len(want) {
		t.Fatalf("%s holds %v, want %v", stream, got, want)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Errorf("%s holds %v as version %d, want %v", stream, got[i], i+1, want[i])
		}
	}
}

// TestALinkIsAskedForUntilItIsKnown keeps the server away after a lost reply: for a
// while, and for longer than the caller waits. He must not be told that nothing was
// linked, nor that it is safe to do it again.
func TestALinkIsAskedForUntilItIsKnown(t *testing.T) {
	t.Parallel()
	for name, back := range map[string]bool{"for a while": true, "for longer": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openBehind(t, 2, postgres.Config{})
			ids := given(t, s, "a-1", 1)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			if !back {
				ctx, cancel = context.WithTimeout(t.Context(), 400*time.Millisecond)
				defer cancel()
			}
			var up *time.Timer
			err := s.lose(t, pgproxy.Answer, `\.link\(`, func() {
				if err := s.proxy.Down(); err != nil {
					t.Error(err)
				}
				if back {
					up = time.AfterFunc(300*time.Millisecond, func() {
						if err := s.proxy.Up(); err != nil {
							t.Error(err)
						}
					})
				}
			}, func() error {
				_, err := s.Link(ctx, "list-1", store.NoStream, ids...)
				return err
			})
			var unknown *store.UnknownOutcomeError
			switch {
			case back && (err != nil || up.Stop()):
				t.Errorf("got %v", err)
			case !back && (!errors.As(err, &unknown) || len(unknown.Batches) > 0 || store.Retryable(err) || !errors.Is(err, context.DeadlineExceeded)):
				t.Errorf("got %v", err)
			}
			s.holds(t, "list-1", ids...)
		})
	}
}

// TestALinkThatMayStillBeMetIsNoConflict: the link whose reply was lost could yet be
// carried out, when others have brought the stream to where it is expected.
func TestALinkThatMayStillBeMetIsNoConflict(t *testing.T) {
	t.Parallel()
	s := openBehind(t, 2, postgres.Config{})
	ids := given(t, s, "a-1", 1)
	for _, expected := range []store.Version{store.StreamExists, 7} {
		err := s.lose(t, pgproxy.Answer, `\.link\(`, nil, func() error {
			_, err := s.Link(t.Context(), "list-1", expected, ids...)
			return err
		})
		if !errors.Is(err, store.ErrUnknownOutcome) || errors.Is(err, store.ErrConflict) {
			t.Errorf("expecting %s: %v", expected, err)
		}
	}
}

// TestALostReplyToARemovalIsLearned cuts the connection of each removal after the
// server has answered, and before it got it.
func TestALostReplyToARemovalIsLearned(t *testing.T) {
	t.Parallel()
	const sql = `\.(delete_stream|undelete_stream|truncate_stream|remove)\(`
	for name, at := range map[string]pgproxy.Point{"before": pgproxy.Request, "answered": pgproxy.Answer} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openBehind(t, 2, postgres.Config{HardDeletes: true})
			ids := given(t, s, "a-1", 5)
			for what, do := range []func() error{
				func() error { return s.Delete(t.Context(), "a-1", 5, store.Soft) },
				func() error { return s.Undelete(t.Context(), "a-1") },
				func() error { return s.Truncate(t.Context(), "a-1", 2, store.Soft) },
				func() error { return s.Truncate(t.Context(), "a-1", 3, store.Hard) },
			} {
				if err := s.lose(t, at, sql, nil, do); err != nil {
					t.Errorf("%d: %v", what, err)
				}
			}
			s.holds(t, "a-1", ids[2:]...)
			for _, expected := range []store.Version{4, 6} {
				err := s.lose(t, at, sql, nil, func() error { return s.Delete(t.Context(), "a-1", expected, store.Hard) })
				if !errors.Is(err, store.ErrConflict) {
					t.Errorf("expecting %s: %v", expected, err)
				}
			}
			if err := s.lose(t, at, sql, nil, func() error { return s.Delete(t.Context(), "a-1", store.Any, store.Hard) }); err != nil {
				t.Error(err)
			}
			s.holds(t, "a-1")
			checkPool(t, s.pool)
		})
	}
}

// TestARemovalThatIsSentAgainRemovesNoOtherStream lets somebody begin a stream of the
// same name when the reply to a hard delete is lost: the new one is another.
func TestARemovalThatIsSentAgainRemovesNoOtherStream(t *testing.T) {
	t.Parallel()
	for name, do := range map[string]func(context.Context, *postgres.Store) error{
		"delete": func(ctx context.Context, s *postgres.Store) error { return s.Delete(ctx, "a-1", 3, store.Hard) },
		"truncate": func(ctx context.Context, s *postgres.Store) error {
			return s.Truncate(ctx, "a-1", 4, store.Hard)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openBehind(t, 2, postgres.Config{HardDeletes: true})
			other := openOn(t, pgtest.Pool(t), postgres.Config{Schema: postgres.SchemaOf(s.Store), HardDeletes: true})
			given(t, s, "a-1", 3)
			var ids []uuid.UUID
			err := s.lose(t, pgproxy.Answer, `\.remove\(`, func() {
				if name == "truncate" {
					if err := other.Delete(t.Context(), "a-1", store.Any, store.Hard); err != nil {
						t.Error(err)
					}
				}
				ids = given(t, other, "a-1", 3)
			}, func() error { return do(t.Context(), s.Store) })
			if err != nil {
				t.Error(err)
			}
			s.holds(t, "a-1", ids...)
		})
	}
}
