package torture_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
	"github.com/esgen/esgen/runtime/store/storetest/history"
)

// member is what one of several processes would see of a store that this one has: it
// is a member of its own, and can be cut off from what is kept of subscriptions.
type member struct {
	store.Store
	local *store.Local
	cut   atomic.Bool
}

func (m *member) Local() *store.Local                { return m.local }
func (m *member) Subscriptions() store.Subscriptions { return cutOff{m.Store.Subscriptions(), m} }

type cutOff struct {
	store.Subscriptions
	m *member
}

var errCut = errors.New("cut off")

func (c cutOff) err(op string) error {
	if c.m.cut.Load() {
		return &store.UnavailableError{Op: op, Err: errCut}
	}
	return nil
}

func (c cutOff) Renew(ctx context.Context, m store.Member) (store.Renewal, error) {
	if err := c.err("renew"); err != nil {
		return store.Renewal{}, err
	}
	return c.Subscriptions.Renew(ctx, m)
}

func (c cutOff) Release(ctx context.Context, holds ...store.Hold) error {
	if err := c.err("release"); err != nil {
		return err
	}
	return c.Subscriptions.Release(ctx, holds...)
}

func (c cutOff) Leave(ctx context.Context, id uuid.UUID) error {
	if err := c.err("leave"); err != nil {
		return err
	}
	return c.Subscriptions.Leave(ctx, id)
}

func (c cutOff) Advance(ctx context.Context, moves ...store.Move) error {
	if err := c.err("advance"); err != nil {
		return err
	}
	return c.Subscriptions.Advance(ctx, moves...)
}

// consumer is a member that consumes.
type consumer struct {
	*member
	stop  context.CancelFunc
	ended chan error
}

// TestTortureInMemory lets members of one process handle what its writers append, and
// stops them and cuts them off, for good or for a while.
func TestTortureInMemory(t *testing.T) {
	t.Parallel()
	d, seed := torturing(t, 8*time.Second)
	random := rand.New(rand.NewPCG(seed, 1))
	dir := logs(t)
	s := memory.New(memory.Config{HardDeletes: true})
	j := job{Dir: dir, Seed: random.Uint64(), Consume: true}
	made := 0
	start := func() *consumer {
		made++
		c := &consumer{member: &member{Store: s, local: &store.Local{}}, ended: make(chan error, 1)}
		if made%2 == 0 {
			c.local = s.Local().Beside() // hears the bell
		}
		var ctx context.Context
		ctx, c.stop = context.WithCancel(t.Context())
		j := j
		j.Name = fmt.Sprintf("c%d", made)
		go func() { c.ended <- j.consume(ctx, c.member) }()
		return c
	}
	end := func(c *consumer) {
		c.stop()
		if err := <-c.ended; err != nil {
			t.Error(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), min(d, roundTime))
	defer cancel()
	wrote := make(chan error, 1)
	go func() {
		wrote <- history.Run(ctx, history.Config{
			Delete: func(ctx context.Context, stream string) error { return s.Delete(ctx, stream, store.Any, store.Hard) },
			Store:  s, Dir: dir, Name: "w", Seed: j.Seed, Writers: 4, Pause: 20 * time.Millisecond,
		})
	}()
	consumers := []*consumer{start(), start(), start()}
	o := &trouble{t: t, random: random, dir: dir, counted: make(map[string]int)}
	for wait(ctx, 500*time.Millisecond); ctx.Err() == nil; wait(ctx, time.Duration(random.IntN(800))*time.Millisecond) {
		c := random.IntN(len(consumers))
		switch random.IntN(3) {
		case 0:
			o.note("stopped", func() {
				end(consumers[c])
				consumers[c] = start()
			})
		case 1:
			o.note("cut off for a while", func() {
				consumers[c].cut.Store(true)
				wait(ctx, time.Duration(random.IntN(int(2*lease))))
				consumers[c].cut.Store(false)
			})
		default:
			o.note("cut off for good", func() {
				consumers[c].cut.Store(true)
				end(consumers[c])
				consumers[c] = start()
			})
		}
	}
	if err := <-wrote; err != nil {
		t.Error(err)
	}
	wait(t.Context(), quiet)
	for _, c := range consumers {
		end(c)
	}
	t.Logf("%v", o.counted)
	drain(t, &member{Store: s, local: &store.Local{}}, j, plain)
	if err := history.Finish(t.Context(), dir, s); err != nil {
		t.Fatal(err)
	}
	verify(t, dir, history.Options{Subscriptions: []history.Subscription{{Name: plain, Late: late, Lane: laneOf(plainLanes)}}})
}
