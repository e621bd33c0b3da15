package postgres_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/esgen/esgen/internal/pgtest"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/postgres"
)

// TestAStandbyIsReadAndRefusesToWrite is what a program meets that was pointed at
// the wrong server, or whose server lost its role.
func TestAStandbyIsReadAndRefusesToWrite(t *testing.T) {
	t.Parallel()
	primary := pgtest.Start(t, pgtest.Options{})
	s := openOn(t, primary.Pool(t), postgres.Config{})
	if _, err := s.Append(t.Context(), batch("a-1", store.NoStream, event("x", `{}`), event("y", `{}`))); err != nil {
		t.Fatal(err)
	}
	standby := primary.Standby(t)
	// What is appended later arrives there, too.
	if _, err := s.Append(t.Context(), batch("a-2", store.NoStream, event("x", `{}`))); err != nil {
		t.Fatal(err)
	}
	standby.AwaitReplay(primary)
	grouping(t, func(t *testing.T, c postgres.Config) {
		pool := standby.Pool(t)
		other, err := postgres.New(pool, c)
		if err != nil {
			t.Fatal(err)
		}
		if all := checkOrder(t, other); len(all) != 3 {
			t.Errorf("read %d events from the standby", len(all))
		}
		_, one := other.Append(t.Context(), batch("a-1", 2, event("x", `{}`)))
		_, two := other.Append(t.Context(), batch("a-1", 2, event("x", `{}`)), batch("a-3", 0, event("x", `{}`)))
		_, key := other.Subscriptions().Open(t.Context(), store.Subscription{Name: "n", Lanes: make([]store.Lane, 1)})
		for call, err := range map[string]error{
			"append one": one, "append two": two, "open a checkpoint": key,
			"save a snapshot": other.SaveSnapshot(t.Context(), store.Snapshot{Stream: "a-1", Version: 1, Type: "s", Format: store.JSON, Data: []byte(`{}`)}),
		} {
			var unavailable *store.UnavailableError
			if !errors.As(err, &unavailable) || !store.Retryable(err) || errors.Is(err, store.ErrUnknownOutcome) ||
				!strings.Contains(err.Error(), "read-only") || !strings.Contains(err.Error(), "standby") {
				t.Errorf("%s: %v (%T)", call, err, err)
			}
		}
		// There is nothing to migrate, so that a program may start here.
		if err := other.Migrate(t.Context()); err != nil {
			t.Errorf("migrate what is migrated: %v", err)
		}
		checkPool(t, pool)
		if n := len(checkOrder(t, s)); n != 3 {
			t.Errorf("%d events are stored", n)
		}
	})
}
