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

// atOnce is how many events are taken from the machine at a time: the lock is
// passed less often so.
const atOnce = 128

func (s single) manner() manner { return manner{} }

func (s single) work(l *lane) {
	ds := make([]delivery, 0, atOnce)
	for {
		var ctx context.Context
		if ctx, ds = l.pull(atOnce, ds); ds == nil {
			return
		}
		for i := range ds {
			if !s.handle(ctx, l, ds[i:]) {
				break
			}
		}
	}
}

// handle handles the first event and reports whether to go on with the next. If
// not, those that are left are put back.
func (s single) handle(ctx context.Context, l *lane, ds []delivery) bool {
	d := &ds[0]
	ctx, end := l.begin(store.CausedBy(ctx, *d.r), HandlingEvent, ds[:1])
	err := guarded(func() error { return s.h(ctx, l.c.mapped(*d.r)) })
	if end != nil {
		end(err)
	}
	counted, goOn := l.answered(func(m *machine, now time.Time) bool {
		if err != nil {
			return m.nacked(now, d.number, d.giving, err)
		}
		counted := m.acked(now, d.number, d.giving)
		if len(ds) > 1 && !m.mayHandle(now) {
			m.putBack(ds[1].number, "")
		}
		return counted
	})
	return err == nil && counted && goOn
}
