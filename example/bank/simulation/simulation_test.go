package simulation_test

import (
	"context"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/esgen/esgen/example/bank/internal/banktest"
	"github.com/esgen/esgen/example/bank/simulation"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestMoneyIsConserved(t *testing.T) {
	t.Parallel()
	banktest.OnEveryStore(t, func(t *testing.T, db store.Store) {
		c := simulation.Config{Tellers: 8, Accounts: 3, Operations: 240, Seed: 7}
		r, err := simulation.Run(t.Context(), &crowded{Store: db}, c)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("seed %d: %+v", c.Seed, r)
		if !r.Conserved() {
			t.Errorf("the streams hold %s and the projection %s, want %s", r.InStreams, r.InProjection, r.Expected())
		}
		if r.Conflicts == 0 {
			t.Error("no teller met another")
		}
		done := r.Deposits + r.Withdrawals + r.Transfers + r.GivenUp
		for _, n := range r.Refused {
			done += n
		}
		if done != c.Operations {
			t.Errorf("%d operations were counted, want %d", done, c.Operations)
		}
		if r.Deposits == 0 || r.Withdrawals == 0 || r.Transfers == 0 || r.Refused["insufficient funds"] == 0 {
			t.Errorf("something never happened: %+v", r)
		}
	})
}

// TestLostMoneyIsFound runs on a store that forgets one append.
func TestLostMoneyIsFound(t *testing.T) {
	t.Parallel()
	db := &forgetful{Store: memory.New(memory.Config{}), forget: 50}
	r, err := simulation.Run(t.Context(), db, simulation.Config{Tellers: 1, Accounts: 2, Operations: 200})
	if err != nil {
		t.Fatal(err)
	}
	if r.Conserved() {
		t.Errorf("an append was forgotten, and nothing is missing: %+v", r)
	}
}

// crowded holds the first append to an account back until a second one to the same
// account has been decided too, so that at least one conflict is certain.
type crowded struct {
	store.Store

	mu     sync.Mutex
	stream string
	second chan struct{}
}

func (c *crowded) Append(ctx context.Context, batches ...store.Batch) ([]store.Appended, error) {
	// Versions 1 and 2 open the accounts, before there are tellers.
	if batches[0].Expected >= 2 {
		c.meet(ctx, batches)
	}
	return c.Store.Append(ctx, batches...)
}

func (c *crowded) meet(ctx context.Context, batches []store.Batch) {
	c.mu.Lock()
	if c.second == nil {
		c.stream, c.second = batches[0].Stream, make(chan struct{})
		c.mu.Unlock()
		select {
		case <-c.second:
		case <-ctx.Done():
		}
		return
	}
	defer c.mu.Unlock()
	for _, b := range batches {
		if b.Stream == c.stream {
			c.stream = ""
			close(c.second)
		}
	}
}

// forgetful acknowledges one append that it does not store: the first deposit or
// withdrawal from the given one on.
type forgetful struct {
	store.Store
	forget, appends int
}

func (f *forgetful) Append(ctx context.Context, batches ...store.Batch) ([]store.Appended, error) {
	f.appends++
	if f.appends >= f.forget && len(batches) == 1 {
		f.forget = 1 << 30
		return []store.Appended{{Stream: batches[0].Stream, Version: batches[0].Expected + 1}}, nil
	}
	return f.Store.Append(ctx, batches...)
}
