package main

import (
	"context"
	"fmt"
	"iter"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/esgen/esgen/internal/pgtest"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/postgres"
	"github.com/esgen/esgen/runtime/store/sqlite"
)

// full is a target on which everything can be done.
type full interface {
	target
	store.Linker
	store.Deleter
}

func onBoth(t *testing.T, test func(t *testing.T, s full)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		db, err := sqlite.Open(filepath.Join(t.TempDir(), "a.db"), sqlite.Config{HardDeletes: true})
		if err == nil {
			err = db.Migrate(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close(context.Background()) })
		test(t, fileTarget{db})
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		pool, name := pgtest.Pool(t), pgtest.Schema(t)
		db, err := postgres.New(pool, postgres.Config{Schema: name, HardDeletes: true})
		if err == nil {
			err = db.Migrate(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
		test(t, schemaTarget{db, name, pool})
	})
}

func events(n int) []store.Event {
	all := make([]store.Event, n)
	for i := range all {
		all[i] = store.Event{ID: uuid.Must(uuid.NewV7()), Type: "x", Format: store.JSON, Data: []byte(`{}`)}
	}
	return all
}

func put(ctx context.Context, t *testing.T, s store.Store, stream string, n int) []store.Event {
	t.Helper()
	all := events(n)
	if _, err := s.Append(ctx, store.Batch{Stream: stream, Expected: store.Any, Events: all}); err != nil {
		t.Fatal(err)
	}
	return all
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func verifiedBy(t *testing.T, s target, atOnce int64) verified {
	t.Helper()
	last, err := head(t.Context(), s)
	ok(t, err)
	v := verification{t: s, atOnce: atOnce, progress: func(of, at int64) {
		if at > of {
			t.Errorf("progress is %d of %d", at, of)
		}
	}}
	v.result.Position = last
	ok(t, v.run(t.Context()))
	return v.result
}

// What a store can do to its events leaves it sound.
func TestVerifyFindsNothingWrongWithAStoreInOrder(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s full) {
		ctx := t.Context()
		for i := range 10 {
			put(t.Context(), t, s, fmt.Sprintf("plain-%d", i), i+1)
		}
		origin := put(t.Context(), t, s, "origin-1", 5)
		for _, stream := range []string{"links-1", "mixed-1", "hidden-1"} {
			_, err := s.Link(ctx, stream, store.Any, origin[0].ID, origin[4].ID)
			ok(t, err)
		}
		put(t.Context(), t, s, "mixed-1", 2)
		_, err := s.Link(ctx, "mixed-1", store.Any, origin[2].ID)
		ok(t, err)
		ok(t, s.Truncate(ctx, "mixed-1", 2, store.Soft))
		ok(t, s.Delete(ctx, "hidden-1", store.Any, store.Soft))
		put(t.Context(), t, s, "short-1", 4)
		ok(t, s.Truncate(ctx, "short-1", 3, store.Soft))
		put(t.Context(), t, s, "empty-1", 2)
		ok(t, s.Truncate(ctx, "empty-1", 3, store.Soft))
		put(t.Context(), t, s, "deleted-1", 3)
		ok(t, s.Delete(ctx, "deleted-1", store.Any, store.Soft))
		ok(t, s.Delete(ctx, "origin-1", store.Any, store.Soft))

		for _, atOnce := range []int64{streamsAtOnce, 4, 1} {
			r := verifiedBy(t, s, atOnce)
			if r.Wrong != 0 || r.Events != 71 || r.Streams != 17 || r.Links != 4 || r.Deleted != 3 || r.Holes != 0 {
				t.Errorf("%d at once: %+v", atOnce, r)
			}
		}

		// Only hard removals make holes.
		ok(t, s.Undelete(ctx, "origin-1"))
		ok(t, s.Truncate(ctx, "origin-1", 3, store.Hard))
		ok(t, s.Delete(ctx, "plain-4", store.Any, store.Hard))
		r := verifiedBy(t, s, 5)
		if r.Wrong != 0 || r.Events != 64 || r.Holes != 7 || r.FirstHole != 11 {
			t.Errorf("after hard removals: %+v", r)
		}
	})
}

// What is appended meanwhile is left out, in old streams and new ones.
func TestVerifyWhileOthersAppend(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s full) {
		for i := range 20 {
			put(t.Context(), t, s, fmt.Sprintf("a-%d", i), 3)
		}
		busy := &disturbed{full: s, t: t}
		for round := range 5 {
			busy.round = round
			if r := verifiedBy(t, busy, 7); r.Wrong != 0 || r.Events != int64(r.Position) {
				t.Errorf("%+v", r)
			}
		}
	})
}

// disturbed appends at every step of a reader.
type disturbed struct {
	full
	t            *testing.T
	round, count int
}

func (d *disturbed) disturb(ctx context.Context) {
	d.count++
	put(ctx, d.t, d.full, fmt.Sprintf("a-%d", d.count%20), 2)
	put(ctx, d.t, d.full, fmt.Sprintf("new-%d-%d", d.round, d.count), 1)
}

func (d *disturbed) Read(ctx context.Context, q store.Query) iter.Seq2[store.Recorded, error] {
	d.disturb(ctx)
	return d.full.Read(ctx, q)
}

func (d *disturbed) Streams(ctx context.Context, q store.StreamQuery) iter.Seq2[store.StreamInfo, error] {
	d.disturb(ctx)
	return func(yield func(store.StreamInfo, error) bool) {
		for info, err := range d.full.Streams(ctx, q) {
			if info.Version%5 == 0 {
				d.disturb(ctx)
			}
			if !yield(info, err) {
				return
			}
		}
	}
}

// forged shows what a damaged store would.
type forged struct {
	full
	event  func(q store.Query, r store.Recorded) []store.Recorded
	stream func(info store.StreamInfo) []store.StreamInfo
}

func (f forged) Read(ctx context.Context, q store.Query) iter.Seq2[store.Recorded, error] {
	return func(yield func(store.Recorded, error) bool) {
		for r, err := range f.full.Read(ctx, q) {
			shown := []store.Recorded{r}
			if err == nil && f.event != nil {
				shown = f.event(q, r)
			}
			for _, r := range shown {
				if !yield(r, err) {
					return
				}
			}
		}
	}
}

func (f forged) Streams(ctx context.Context, q store.StreamQuery) iter.Seq2[store.StreamInfo, error] {
	return func(yield func(store.StreamInfo, error) bool) {
		for info, err := range f.full.Streams(ctx, store.StreamQuery{Deleted: true}) {
			shown := []store.StreamInfo{info}
			if err == nil && f.stream != nil {
				shown = f.stream(info)
			}
			for _, info := range shown {
				if (err != nil || q.Matches(info)) && !yield(info, err) {
					return
				}
			}
		}
	}
}

// Each kind of damage is found, and named.
func TestVerifyFindsDamage(t *testing.T) {
	t.Parallel()
	all := func(r store.Recorded) []store.Recorded { return []store.Recorded{r} }
	for name, tt := range map[string]struct {
		event  func(q store.Query, r store.Recorded) []store.Recorded
		stream func(info store.StreamInfo) []store.StreamInfo
		want   string
		holes  int64
	}{
		"an event is missing everywhere": {
			event: func(_ store.Query, r store.Recorded) []store.Recorded {
				if r.Position == 2 {
					return nil
				}
				return all(r)
			},
			want: "stream a-1: version 3 follows version 1", holes: 1,
		},
		"an event is missing in $all": {
			event: func(q store.Query, r store.Recorded) []store.Recorded {
				if q.Stream == "" && r.Position == 2 {
					return nil
				}
				return all(r)
			},
			want: "stream a-1 shows 3 events of its own, $all shows 2", holes: 1,
		},
		"the last event is missing": {
			event: func(_ store.Query, r store.Recorded) []store.Recorded {
				if r.Position == 3 {
					return nil
				}
				return all(r)
			},
			want: "stream a-1 is listed at version 3, and ends at version 2", holes: 1,
		},
		"an event stands twice": {
			event: func(_ store.Query, r store.Recorded) []store.Recorded {
				if r.Position == 2 {
					return []store.Recorded{r, r}
				}
				return all(r)
			},
			want: "position 2 follows 2",
		},
		"two events have one version": {
			event: func(_ store.Query, r store.Recorded) []store.Recorded {
				if r.Position == 3 {
					r.Version, r.OriginalVersion = 2, 2
				}
				return all(r)
			},
			want: "position 3: version 2 of a-1 follows version 2",
		},
		"positions change places": {
			event: func(q store.Query, r store.Recorded) []store.Recorded {
				if q.Stream == "" && q.Limit == 0 && (r.Position == 2 || r.Position == 3) {
					r.Position = 5 - r.Position
				}
				return all(r)
			},
			want: "position 2 follows 3", holes: 1,
		},
		"a stream is not listed": {
			stream: func(info store.StreamInfo) []store.StreamInfo {
				if info.Stream == "a-1" {
					return nil
				}
				return []store.StreamInfo{info}
			},
			want: "stream a-1 has 3 events, the first at position 1, and is not listed",
		},
		"a stream is listed beyond its end": {
			stream: func(info store.StreamInfo) []store.StreamInfo {
				if info.Stream == "a-1" {
					info.Version++
				}
				return []store.StreamInfo{info}
			},
			want: "stream a-1 is listed at version 4, and ends at version 3",
		},
		"a stream is listed that is not there": {
			stream: func(info store.StreamInfo) []store.StreamInfo {
				if info.Stream == "a-1" {
					other := info
					other.Stream = "a-2"
					return []store.StreamInfo{info, other}
				}
				return []store.StreamInfo{info}
			},
			want: "stream a-2 is listed at version 3, and cannot be read",
		},
		"a link leads elsewhere": {
			event: func(_ store.Query, r store.Recorded) []store.Recorded {
				if r.Stream == "links-1" {
					r.Position = 2
				}
				return all(r)
			},
			want: "stream links-1: version 1 links to version 1 of a-1 at position 2, where another event is",
		},
		"$all shows a link": {
			event: func(q store.Query, r store.Recorded) []store.Recorded {
				if q.Stream == "" && r.Position == 3 {
					r.OriginalVersion = 1
				}
				return all(r)
			},
			want: "position 3: $all shows version 3 of a-1 as a link to version 1 of a-1",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onBoth(t, func(t *testing.T, s full) {
				first := put(t.Context(), t, s, "a-1", 3)
				_, err := s.Link(t.Context(), "links-1", store.Any, first[0].ID)
				ok(t, err)
				put(t.Context(), t, s, "b-1", 2)
				for _, atOnce := range []int64{streamsAtOnce, 1} {
					r := verifiedBy(t, forged{s, tt.event, tt.stream}, atOnce)
					if r.Wrong == 0 || !strings.Contains(strings.Join(r.Problems, "\n"), tt.want) {
						t.Errorf("%d at once: found %d: %q, want %q", atOnce, r.Wrong, r.Problems, tt.want)
					}
					if r.Holes != tt.holes {
						t.Errorf("%d at once: %d holes, want %d", atOnce, r.Holes, tt.holes)
					}
				}
			})
		})
	}
}
