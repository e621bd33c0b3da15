package postgres

import (
	"context"
	"sync/atomic"

	"github.com/jackc/pgx/v5"

	"github.com/esgen/esgen/runtime/store"
)

// Tx is the store in a transaction of the caller's: what it does is committed and
// rolled back with everything else in the transaction. A typed stream works on it:
//
//	bank.StreamOf(db.WithTx(tx), id)
//
// Appended events have no positions until the transaction commits; then they get
// those behind all that was committed before. Until then nobody else waits for them,
// but for appends to the same streams. Reads of a stream show what the transaction
// itself has appended, with position 0; reads of $all and of categories do not.
//
// The transaction must be READ COMMITTED, which is PostgreSQL's default, must not be
// prepared for two phases, and must not say SET CONSTRAINTS ALL IMMEDIATE. As with
// pgx, an error of the database ends it: roll back, to the savepoint if there is
// one. [store.ConflictError] and other answers leave it usable. Of two transactions
// that append to the same streams in opposite orders PostgreSQL ends one; the error
// is retryable, by running the whole transaction again.
//
// Like pgx.Tx it is for one goroutine.
type Tx struct {
	operations

	appended []*appending
	// xid names the transaction once it has changed something.
	xid string
}

var (
	_ store.Streams   = (*Tx)(nil)
	_ store.Catalog   = (*Tx)(nil)
	_ store.Snapshots = (*Tx)(nil)
	_ store.Linker    = (*Tx)(nil)
	_ store.Deleter   = (*Tx)(nil)
)

// WithTx returns the store in tx, which may be of any pool and may be a savepoint,
// and stays the caller's to end. After its commit call [Store.Wake], or let
// subscriptions poll; [InTx] does both and fills in the positions.
func (s *Store) WithTx(tx pgx.Tx) *Tx {
	return &Tx{operations: operations{s: s, tx: tx, over: new(atomic.Bool), observed: s.observed.InTx()}}
}

// Wake wakes subscriptions, here and in other processes: events were appended in a
// transaction that the store did not commit itself.
func (s *Store) Wake() { s.ring() }

// Format is [Config.Format].
func (t *Tx) Format() store.Format { return t.s.config.Format }

// Append stores all batches or none when the transaction commits. Positions in the
// result are 0 until then. It waits for other writers of the same streams.
//
// Events whose ids are stored already at their place are a success with Duplicate
// set. If another transaction stores one of the ids later than this call and commits
// first, the commit of this one is refused with a unique violation; [InTx] makes it a
// [*store.DuplicateEventError].
func (t *Tx) Append(ctx context.Context, batches ...store.Batch) ([]store.Appended, error) {
	return t.observed.Append(ctx, batches, func(ctx context.Context) ([]store.Appended, error) {
		a, err := t.s.appending(ctx, batches)
		if err != nil {
			return nil, err
		}
		return t.append(ctx, a)
	})
}

func (t *Tx) append(ctx context.Context, a *appending) ([]store.Appended, error) {
	var v verdict
	var places []store.Appended
	err := t.call(ctx, a.op, func(ctx context.Context, conn *pgx.Conn) (err error) {
		for {
			// Twice busy means that two others have created and removed the stream.
			if v, err = a.callWaiting(ctx, conn, true, &t.xid); err != nil || v.kind != verdictBusy {
				break
			}
		}
		if err == nil && (v.kind == verdictDuplicate || v.kind == verdictRefused && !a.fresh) {
			places, v.refusal, err = t.places(ctx, conn, a, v.refusal)
		}
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case v.refusal != nil:
		return nil, v.refusal
	case places != nil:
		return places, nil
	}
	t.appended = append(t.appended, a)
	return v.appended, nil
}

// places tells where the events of a are stored already, or why they are refused.
func (t *Tx) places(ctx context.Context, conn *pgx.Conn, a *appending, refusal error) ([]store.Appended, error, error) {
	found, err := a.findOn(ctx, conn)
	if err != nil || len(found) == 0 {
		return nil, refusal, err
	}
	appended, err := a.settle(found)
	return appended, err, nil
}
