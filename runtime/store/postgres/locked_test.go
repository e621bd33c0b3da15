package postgres_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/esgen/esgen/internal/pgtest"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/postgres"
)

// TestALockedLaneHoldsUpNoOther: a transaction that nobody ends has locked a lane.
// Renewals, and what is done to other lanes, do not wait for it.
func TestALockedLaneHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	s := open(t)
	k := s.Subscriptions()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := k.Open(ctx, store.Subscription{Name: "n", Settings: "x", Lanes: []store.Lane{{Lane: 0}, {Lane: 1}, {Lane: 2}}}); err != nil {
		t.Fatal(err)
	}
	m := newMember()
	m.Runs = []string{"n"}
	renewed := func(m store.Member) []store.Hold {
		t.Helper()
		r, err := k.Renew(ctx, m)
		if err != nil {
			t.Fatal(err)
		}
		holds := make([]store.Hold, len(r.Lanes))
		for i, l := range r.Lanes {
			holds[i] = store.Hold{Subscription: "n", Lane: l.Lane, Token: l.Token}
		}
		return holds
	}
	holds := renewed(m)
	orphan, err := pgtest.Pool(t).Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer orphan.Rollback(context.Background())
	if _, err := orphan.Exec(ctx, "UPDATE "+postgres.SchemaOf(s)+".lanes SET at = 9 WHERE lane = 1"); err != nil {
		t.Fatal(err)
	}
	if got := renewed(m); len(got) != 3 {
		t.Errorf("the renewal gives %v", got)
	}
	locked := func(what string, err error) {
		t.Helper()
		e, is := errors.AsType[*store.LockedError](err)
		if !is || len(e.Holds) != 1 || e.Holds[0] != holds[1] || !store.Retryable(err) {
			t.Fatalf("%s: %v, want that lane 1 is locked", what, err)
		}
	}
	stale := holds[2]
	stale.Token += 7
	err = k.Advance(ctx, store.Move{Hold: holds[0], To: 5}, store.Move{Hold: holds[1], To: 5}, store.Move{Hold: stale, To: 5})
	locked("Advance", err)
	if e, is := errors.AsType[*store.FencedError](err); !is || len(e.Holds) != 1 || e.Holds[0] != stale {
		t.Errorf("Advance: %v, want that lane 2 is fenced", err)
	}
	locked("Release", k.Release(ctx, holds[0], holds[1]))
	if err := k.Leave(ctx, m.ID); err != nil {
		t.Fatal(err)
	}
	other := newMember()
	other.Runs = m.Runs
	if got := renewed(other); len(got) != 2 || got[0].Lane != 0 || got[1].Lane != 2 {
		t.Errorf("another member gets %v, want lanes 0 and 2", got)
	}
	if err := orphan.Rollback(ctx); err != nil {
		t.Fatal(err)
	}
	if got := renewed(other); len(got) != 3 || got[1].Token <= holds[1].Token {
		t.Errorf("when it has ended another member gets %v", got)
	}
	if err := k.Advance(ctx, store.Move{Hold: holds[1], To: 5}); !errors.Is(err, store.ErrFenced) {
		t.Errorf("the former owner moves: %v", err)
	}
	sub, err := k.Find(ctx, "n")
	if err != nil || sub.Lanes[0].At != 5 || sub.Lanes[1].At != 0 || sub.Lanes[2].At != 0 {
		t.Errorf("the lanes are %+v, %v", sub.Lanes, err)
	}
}
