package postgres

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/jackc/pgx/v5"

	"github.com/esgen/esgen/runtime/store"
)

// operations are what a store and a transaction of it have in common.
type operations struct {
	s *Store
	// tx is the caller's transaction, nil for the store's own connections.
	tx pgx.Tx
	// over tells that tx has ended, where that is known: its connection may be
	// somebody else's by now.
	over *atomic.Bool
	// observed tells [Config.Observer].
	observed *store.Observed
}

// settle is call for what must not be told to have failed while it may be done: if a
// reply was lost, the database is asked until it answers or ctx has ended.
func (o *operations) settle(ctx context.Context, op string, lost func() bool, work func(context.Context, *pgx.Conn) error) error {
	ctx, cancel := store.WithTimeout(ctx, o.s.config.Timeout)
	defer cancel()
	var wait backoff
	for {
		err := o.call(ctx, op, work)
		if err == nil || !lost() || !store.Retryable(err) {
			return err
		}
		if wait.pause(ctx) != nil {
			return store.Ended(ctx, op)
		}
	}
}

// call runs a whole operation: within the store's timeout, with errors of package
// store. On the store's own connections work is repeated after a failure that is no
// answer, so it must be safe to repeat.
func (o *operations) call(ctx context.Context, op string, work func(context.Context, *pgx.Conn) error) error {
	if err := store.Ended(ctx, op); err != nil {
		return err
	}
	if o.over != nil && o.over.Load() {
		return fmt.Errorf("%s: the transaction has ended; use what works in it only until the function returns that was given it", op)
	}
	ctx, cancel := store.WithTimeout(ctx, o.s.config.Timeout)
	defer cancel()
	var err error
	if o.tx != nil {
		err = work(ctx, o.tx.Conn())
	} else {
		err = o.s.do(ctx, work)
	}
	if err != nil {
		return o.s.explain(ctx, op, err)
	}
	return nil
}
