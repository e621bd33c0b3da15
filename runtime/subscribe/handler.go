package subscribe

import (
	"context"
	"time"

	"github.com/esgen/esgen/runtime/store"
)

// HandlerFunc handles one event. Returning nil means that the event need not
// come again; after an error it does, as [Config.Retry] says. It is called for
// one event at a time, and must not change r.Data or r.Metadata: a retry gets
// the same.
//
// ctx ends when the subscription is to stop: return soon then, with nil if the
// event was handled nevertheless. What is appended with ctx is caused by r (see
// [store.CausedBy]).
//
// ctx also ends, with the cause [ErrLeaseLost], when another process may handle
// the events from then on: what is done after that may be done twice.
//
// By the error a handler can say more: [Stop], [Skip], [Park], [RetryAfter] and
// [Unreadable]. A panic counts as an error. Ending the goroutine with
// [runtime.Goexit] counts as [Stop].
type HandlerFunc func(ctx context.Context, r store.Recorded) error

// single gives events one by one.
type single struct{ h HandlerFunc }

// atOnce is how many events are taken from the machine at a time, and tellAfter how
// long a success may wait to be told to it: the lock is passed less often so.
const (
	atOnce    = 128
	tellAfter = time.Millisecond
)

func (s single) manner() manner { return manner{} }

func (s single) work(l *lane) {
	t := &telling{l: l}
	t.timer = time.AfterFunc(tellAfter, t.late)
	defer t.timer.Stop()
	ds := make([]delivery, 0, atOnce)
	for {
		var ctx context.Context
		if ctx, ds = l.pull(atOnce, ds); ds == nil {
			return
		}
		t.begin(ds)
		s.handleAll(ctx, l, ds, t)
	}
}

// handleAll handles the events one after the other, up to the first failure, the end
// of the lease or of the lane. Those that are left are put back.
func (s single) handleAll(ctx context.Context, l *lane, ds []delivery, t *telling) {
	returned := false
	defer func() { t.end(returned) }() // also when the handler ends the goroutine
	for i := range ds {
		err := s.handle(ctx, l, ds[i:i+1])
		if err != nil {
			t.failed(err)
		}
		if err != nil || !t.handled() || ctx.Err() != nil {
			break
		}
	}
	returned = true
}

func (s single) handle(ctx context.Context, l *lane, d []delivery) error {
	ctx, end := l.begin(store.CausedBy(ctx, *d[0].r), HandlingEvent, d)
	err := guarded(func() error { return s.h(ctx, l.c.mapped(*d[0].r)) })
	if end != nil {
		end(err)
	}
	return err
}
