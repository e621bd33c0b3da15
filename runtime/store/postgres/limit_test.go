package postgres_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/esgen/esgen/internal/pgtest"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/postgres"
)

// TestTimeoutsOfTheServer sets on the role's connections what operators set, and
// lets an append wait for a stream that another transaction has.
func TestTimeoutsOfTheServer(t *testing.T) {
	t.Parallel()
	for setting, state := range map[string]string{"statement_timeout": "57014", "lock_timeout": "55P03"} {
		t.Run(setting, func(t *testing.T) {
			t.Parallel()
			grouping(t, func(t *testing.T, c postgres.Config) {
				c.Schema = pgtest.Schema(t)
				seen := openOn(t, pgtest.Pool(t), postgres.Config{Schema: c.Schema})
				pool := pgtest.Pool(t, func(c *pgxpool.Config) { c.ConnConfig.RuntimeParams[setting] = "200ms" })
				s, err := postgres.New(pool, c)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := seen.Append(t.Context(), batch("a-1", store.NoStream, event("x", `{}`))); err != nil {
					t.Fatal(err)
				}
				tx, err := pgtest.Pool(t).Begin(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				defer tx.Rollback(context.Background())
				if _, err := seen.WithTx(tx).Append(t.Context(), batch("a-1", store.Any, event("x", `{}`))); err != nil {
					t.Fatal(err)
				}
				b := batch("a-1", 1, event("x", `{}`), event("y", `{}`))
				_, err = s.Append(t.Context(), b)
				var unavailable *store.UnavailableError
				if !errors.As(err, &unavailable) || !store.Retryable(err) || errors.Is(err, store.ErrUnknownOutcome) ||
					!strings.Contains(err.Error(), "append to a-1") || !strings.Contains(err.Error(), state) {
					t.Errorf("got %v (%T)", err, err)
				}
				// Whoever shared the way with it did not suffer.
				if _, err := s.Append(t.Context(), batch("b-1", store.NoStream, event("x", `{}`))); err != nil {
					t.Errorf("another stream: %v", err)
				}
				if err := tx.Rollback(t.Context()); err != nil {
					t.Fatal(err)
				}
				if n := len(checkOrder(t, seen)); n != 2 {
					t.Errorf("%d events are stored after the refusal, want 2", n)
				}
				if _, err := s.Append(t.Context(), b); err != nil {
					t.Errorf("again, the stream being free: %v", err)
				}
				if n := len(checkOrder(t, seen)); n != 4 {
					t.Errorf("%d events are stored, want 4", n)
				}
				checkPool(t, pool)
			})
		})
	}
}

// TestWhatIsTooMuchIsRefusedWithItsNumbers holds what the contract leaves open: the
// words. Nothing of it is worth a connection.
func TestWhatIsTooMuchIsRefusedWithItsNumbers(t *testing.T) {
	t.Parallel()
	grouping(t, func(t *testing.T, c postgres.Config) {
		s := openBehind(t, 2, c)
		before := s.proxy.Counts()
		large := store.Event{Type: "x", Format: store.Msgpack, Data: make([]byte, store.MaxEventBytes+1)}
		nul := store.Event{Type: "owned", Format: store.JSONB, Data: []byte(`{"owner":"\u0000"}`)}
		good := event("x", `{}`)
		for what, test := range map[string]struct {
			batches []store.Batch
			says    []string
		}{
			"a payload over the limit":     {[]store.Batch{batch("a-1", store.Any, good, large)}, []string{"a-1", "16777217", "16777216"}},
			"U+0000 in jsonb":              {[]store.Batch{batch("a-1", store.Any, good, nul)}, []string{"a-1", "event 2 of 2", "U+0000"}},
			"a stream name of a megabyte":  {[]store.Batch{batch("a-1", store.Any, good), batch(strings.Repeat("n", 1<<20), store.Any, good)}, []string{"1048576", "1024"}},
			"no events":                    {[]store.Batch{batch("a-1", store.Any)}, []string{"a-1", "no events", "at least one"}},
			"no events beside one with it": {[]store.Batch{batch("b-1", store.Any, good), batch("a-1", store.Any)}, []string{"a-1", "no events"}},
		} {
			_, err := s.Append(t.Context(), test.batches...)
			var invalid *store.InvalidError
			if !errors.As(err, &invalid) || store.Retryable(err) {
				t.Errorf("%s: %v (%T)", what, err, err)
				continue
			}
			for _, word := range test.says {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("%s: the error does not say %q: %.300s", what, word, err)
				}
			}
			if n := len(err.Error()); n > 2000 {
				t.Errorf("%s: an error of %d bytes", what, n)
			}
		}
		if after := s.proxy.Counts(); after.Requests != before.Requests {
			t.Errorf("%d requests were sent", after.Requests-before.Requests)
		}
		for _, stream := range []string{"a-1", "b-1"} {
			if _, err := s.StreamInfo(t.Context(), stream); !errors.Is(err, store.ErrStreamNotFound) {
				t.Errorf("of what was refused something is stored in %s: %v", stream, err)
			}
		}
		checkPool(t, s.pool)
	})
}

// TestClocksThatAreADayOff has processes append whose clocks are wrong. The order is
// that of commits, whatever the clocks say, and the times are what they said.
func TestClocksThatAreADayOff(t *testing.T) {
	t.Parallel()
	grouping(t, func(t *testing.T, c postgres.Config) {
		c.Schema = pgtest.Schema(t)
		pool := pgtest.Pool(t)
		offs := []time.Duration{0, 24 * time.Hour, -24 * time.Hour}
		var stores []*postgres.Store
		for _, off := range offs {
			c.Now = func() time.Time { return time.Now().Add(off) }
			stores = append(stores, openOn(t, pool, c))
		}
		begin := time.Now().Truncate(time.Microsecond)
		for i := range 12 {
			// Without an id, which the store makes then, and which holds a time.
			e := store.Event{Type: "x", Format: store.JSON, Data: []byte(`{}`)}
			got, err := stores[i%3].Append(t.Context(), batch("a-1", store.Version(i), e))
			if err != nil || got[0].Version != store.Version(i+1) || got[0].First != store.Position(i+1) {
				t.Fatalf("append %d: %+v, %v", i, got, err)
			}
		}
		all := checkOrder(t, stores[0])
		if len(all) != 12 {
			t.Fatalf("%d events", len(all))
		}
		for i, r := range all {
			if late := r.Time.Sub(begin.Add(offs[i%3])); late < 0 || late > time.Hour {
				t.Errorf("event %d is of %s, which is %s after the clock of its process", i, r.Time, late)
			}
		}
		for _, s := range stores {
			tail, err := collect(s.Read(t.Context(), store.Query{Stream: "a-1", FromVersion: 10}))
			if err != nil || len(tail) != 3 {
				t.Errorf("read %d events from version 10, %v", len(tail), err)
			}
		}
	})
}
