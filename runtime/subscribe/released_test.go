package subscribe_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
	"github.com/esgen/esgen/runtime/subscribe"
)

// slow is a store of which giving lanes up takes a while.
type slow struct {
	*faulty
	begun, may chan struct{}
}

func (s *slow) Subscriptions() store.Subscriptions {
	return slowSubscriptions{s.faulty.Subscriptions(), s}
}

type slowSubscriptions struct {
	store.Subscriptions
	s *slow
}

func (c slowSubscriptions) Release(ctx context.Context, holds ...store.Hold) error {
	wake(c.s.begun)
	select {
	case <-c.s.may:
	case <-ctx.Done():
		return ctx.Err()
	}
	return c.Subscriptions.Release(ctx, holds...)
}

func wake(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

// notices is an observer that keeps what it is told.
type notices struct {
	mu  sync.Mutex
	all []subscribe.Notice
}

func (n *notices) Begin(ctx context.Context, _ subscribe.Handling) context.Context { return ctx }
func (n *notices) End(context.Context, subscribe.Handling, subscribe.Handled)      {}
func (n *notices) Notice(one subscribe.Notice) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.all = append(n.all, one)
}

func (n *notices) count(kind subscribe.NoticeKind) (count int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, one := range n.all {
		if one.Kind == kind {
			count++
		}
	}
	return count
}

// A lane that is given up is not begun again while the store has not heard of it: it
// may be another's at any moment.
func TestALaneThatIsGivenUpIsNotBegunAgain(t *testing.T) {
	t.Parallel()
	db := memory.New(memory.Config{})
	appendTo(t, db, "bank-1", 3)
	s := &slow{another(db), make(chan struct{}, 1), make(chan struct{})}
	told := &notices{}
	c := subscribe.Config{Lanes: 2, Lease: time.Second}
	observed := c
	observed.Observer = told
	a := run(t, newSubscription(t, s, "given", (&recorder{}).handle, observed))
	await(t, a.Live(), "Live")
	b := run(t, newSubscription(t, another(db), "given", (&recorder{}).handle, c))
	await(t, s.begun, "a lane to be given up")
	eventually(t, "it to be given up", func() bool { return told.count(subscribe.NoticeReleased) > 0 })
	<-time.After(100 * time.Millisecond) // it would take microseconds
	close(s.may)
	await(t, b.Started(), "the other process to have it")
	if gained, released := told.count(subscribe.NoticeGained), told.count(subscribe.NoticeReleased); gained != 2 || released != 1 {
		t.Errorf("it has gained %d lanes and released %d, want 2 and 1", gained, released)
	}
	b.stop(t)
	a.stop(t)
}
