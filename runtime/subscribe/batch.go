package subscribe

import (
	"context"
	"errors"
	"time"

	"github.com/esgen/esgen/internal/printable"
	"github.com/esgen/esgen/runtime/store"
)

// BatchFunc handles several events of one lane, in order. Returning nil means that
// all were handled, an error that none was. The slice is the handler's until it
// returns. For ctx and errors see [HandlerFunc]; what is appended with ctx is
// caused by none of the events unless the handler says so (see [store.CausedBy]).
//
// A batch that has failed as often as [Retry.Attempts] says, or for which the
// handler returned anything but a plain error, is handled again event by event, so
// that [Config.OnFailure] concerns the event that fails.
type BatchFunc func(ctx context.Context, events []store.Recorded) error

// NewBatch returns a subscription that gives batches of events to h, as
// [Config.Batch] says. See [New] for the rest.
func NewBatch(db store.Store, name string, h BatchFunc, c Config) (*Subscription, error) {
	if h == nil {
		return nil, invalid("%s has no handler", printable.Name(name))
	}
	return newSubscription(db, name, batch{h}, c)
}

// TxFunc handles several events of one lane in the transaction that moves the
// checkpoint behind them. The transaction is in ctx: [store.StreamsFrom] returns
// streams in it, and the store's package has a function that returns its own form
// of a transaction. What the handler does by them is there exactly once. For the
// rest see [BatchFunc].
type TxFunc func(ctx context.Context, events []store.Recorded) error

// NewTx returns a subscription that handles batches in transactions, of up to 500
// events unless [Config.Batch] says otherwise. The store must be a
// [store.Transactor]. See [New] for the rest.
//
// An event that was parked is handled in a transaction of its own when it is tried
// again, which also takes it from what is parked.
func NewTx(db store.Store, name string, h TxFunc, c Config) (*Subscription, error) {
	if h == nil {
		return nil, invalid("%s has no handler", printable.Name(name))
	}
	t, ok := db.(store.Transactor)
	if !ok && db != nil {
		return nil, invalid("%s cannot be transactional: %T has no transactions for handlers; use New or NewBatch", printable.Name(name), db)
	}
	if c.Batch.Size == 0 {
		c.Batch.Size = 500
	}
	return newSubscription(db, name, transaction{t, db, h}, c)
}

// batch gives several events at once.
type batch struct{ h BatchFunc }

func (b batch) manner() manner { return manner{batched: true} }

func (b batch) work(l *lane) {
	var ds []delivery
	var events []store.Recorded
	for {
		var ctx context.Context
		if ctx, ds = l.pull(l.c.Batch.Size, ds); ds == nil {
			return
		}
		ctx, end := l.begin(ctx, HandlingBatch, ds)
		err := guarded(func() error {
			events = l.c.mappedAll(ds, events)
			return b.h(ctx, events)
		})
		if end != nil {
			end(err)
		}
		clear(events)
		l.answered(func(m *machine, now time.Time) bool {
			if err != nil {
				m.batchNacked(now, ds, err)
				return true
			}
			for _, d := range ds {
				m.acked(now, d.number, d.giving)
			}
			return true
		})
	}
}

// mappedAll returns the events as the program wants them.
func (c *Config) mappedAll(ds []delivery, into []store.Recorded) []store.Recorded {
	into = into[:0]
	for _, d := range ds {
		into = append(into, c.mapped(*d.r))
	}
	return into
}

// transaction gives several events at once, in a transaction.
type transaction struct {
	db   store.Transactor
	subs store.Store
	h    TxFunc
}

func (t transaction) manner() manner { return manner{batched: true, moves: true} }

func (t transaction) work(l *lane) {
	var ds []delivery
	var events []store.Recorded
	for {
		var ctx context.Context
		if ctx, ds = l.pull(l.c.Batch.Size, ds); ds == nil {
			return
		}
		l.mu.Lock()
		move := store.Move{Hold: l.hold}
		move.From, move.To = l.m.move()
		var parked *store.Parked
		if ds[0].number == replayed && l.m.replay != nil {
			row := l.m.replay.row
			parked = &row
		}
		l.mu.Unlock()
		ctx, end := l.begin(ctx, HandlingTransaction, ds)
		var failed error
		err := guarded(func() error {
			return t.db.Transact(ctx, move, func(ctx context.Context, _ store.Streams) error {
				failed = guarded(func() error {
					events = l.c.mappedAll(ds, events)
					if parked != nil {
						return t.again(ctx, move.Hold, *parked, events)
					}
					return t.h(ctx, events)
				})
				return failed
			})
		})
		clear(events)
		if end != nil {
			end(err)
		}
		t.outcome(l, ds, move, failed, err)
	}
}

// again handles a parked event and takes it from what is parked, in the transaction
// of ctx. It asks first whether an earlier try, of which nobody knew the outcome, has
// done so.
func (t transaction) again(ctx context.Context, h store.Hold, p store.Parked, events []store.Recorded) error {
	subs := t.subs.Subscriptions()
	rows, err := subs.Parked(ctx, store.ParkedQuery{
		Subscription: h.Subscription, Lane: h.Lane, Key: p.Key, HasKey: true,
		More: true, AfterKey: p.Key, AfterAt: p.At - 1, Limit: 1,
	})
	if err != nil || len(rows) == 0 || rows[0].At != p.At {
		return err
	}
	if err := t.h(ctx, events); err != nil {
		return err
	}
	return subs.Unpark(ctx, h, p.Key, p.At)
}

func (t transaction) outcome(l *lane, ds []delivery, move store.Move, failed, err error) {
	if failed == nil && errors.Is(err, store.ErrFenced) {
		l.change(func(m *machine, now time.Time) { m.uncommitted(now, ds, err) })
		ctx, cancel := context.WithTimeout(context.WithoutCancel(l.run.work), storeTimeout)
		defer cancel()
		l.place(ctx, err)
		return
	}
	l.answered(func(m *machine, now time.Time) bool {
		switch {
		case failed != nil:
			m.batchNacked(now, ds, failed)
		case err != nil:
			m.uncommitted(now, ds, l.run.named(err))
			l.lastErr, l.lastAt = m.savings.err, now
		default:
			m.committed(now, ds, move.To)
		}
		return true
	})
}
