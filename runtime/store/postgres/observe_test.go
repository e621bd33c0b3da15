package postgres_test

import (
	"context"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/esgen/esgen/internal/pgtest"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/postgres"
)

// heard is an observer that keeps the ends, by kind.
type heard struct {
	mu    sync.Mutex
	ended map[store.OperationKind][]store.Operation
	last  map[store.OperationKind]store.Result
}

type withinKey struct{}

func (h *heard) Begin(ctx context.Context, op store.Operation) context.Context {
	return context.WithValue(ctx, withinKey{}, op.Kind)
}

func (h *heard) End(_ context.Context, op store.Operation, r store.Result) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ended == nil {
		h.ended, h.last = make(map[store.OperationKind][]store.Operation), make(map[store.OperationKind]store.Result)
	}
	h.ended[op.Kind] = append(h.ended[op.Kind], op)
	h.last[op.Kind] = r
}

// tracer notes within which operations the driver runs statements.
type tracer struct {
	mu     sync.Mutex
	within map[store.OperationKind]int
}

func (t *tracer) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	t.mu.Lock()
	defer t.mu.Unlock()
	if kind, ok := ctx.Value(withinKey{}).(store.OperationKind); ok {
		t.within[kind]++
	}
	return ctx
}

func (t *tracer) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// What only this store can tell an observer; the rest is in the contract.
func TestObserverIsToldOfTransactionsAndTheHead(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	statements := &tracer{within: make(map[store.OperationKind]int)}
	pool := pgtest.Pool(t, func(c *pgxpool.Config) {
		c.ConnConfig.Tracer = statements
		// Binary appends go past pgx and its tracer.
		c.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	})
	h := &heard{}
	schema := pgtest.Schema(t)
	s := openOn(t, pool, postgres.Config{Schema: schema, Observer: h})
	if _, err := s.Append(ctx, batch("bank-1", store.NoStream, event("opened", `{}`))); err != nil {
		t.Fatal(err)
	}
	if r := h.last[store.OperationFlush]; r.HeadWait <= 0 || r.HeadWait > r.Duration {
		t.Errorf("the flush took %s and waited %s for the head", r.Duration, r.HeadWait)
	}
	for range s.Read(ctx, store.Query{}) {
	}
	_, err := postgres.InTx(ctx, s, func(ctx context.Context, _ pgx.Tx, in *postgres.Tx) error {
		_, err := in.Append(ctx, batch("bank-2", store.NoStream, event("opened", `{}`)))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	appends := h.ended[store.OperationAppend]
	if len(appends) != 2 || appends[0].InTx || !appends[1].InTx {
		t.Fatalf("told of %+v, want one append, and one in a transaction", appends)
	}
	if want := pool.Config().ConnConfig.Database + "|" + schema; appends[1].System != "postgresql" || appends[1].Store != want {
		t.Errorf("told of system %q and store %q, want %q", appends[1].System, appends[1].Store, want)
	}
	if r := h.last[store.OperationAppend]; r.Events != 1 || r.Version != 1 || r.Position != 0 {
		t.Errorf("told of %+v in the transaction, want an event without a position", r)
	}
	statements.mu.Lock()
	defer statements.mu.Unlock()
	for _, kind := range []store.OperationKind{store.OperationFlush, store.OperationRead, store.OperationAppend} {
		if statements.within[kind] == 0 {
			t.Errorf("no statement of the driver was run in the context of a %s: %v", kind, statements.within)
		}
	}
}
