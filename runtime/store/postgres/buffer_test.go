package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/esgen/esgen/internal/pgtest"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/postgres"
)

// gate is an observer that holds flushes before they are sent.
type gate struct {
	flushes chan int // how many callers each has
	open    chan struct{}
}

func (g *gate) Begin(ctx context.Context, op store.Operation) context.Context {
	if op.Kind == store.OperationFlush {
		g.flushes <- len(op.Appends)
		<-g.open
	}
	return ctx
}

func (g *gate) End(context.Context, store.Operation, store.Result) {}

// TestABufferIsItsCallersAgainWhenAppendReturns lets a caller leave when its flush is
// about to be sent, and use its buffer for something else: what is stored must be
// what was appended. Another caller keeps the flush going.
func TestABufferIsItsCallersAgainWhenAppendReturns(t *testing.T) {
	t.Parallel()
	for _, m := range []pgx.QueryExecMode{pgx.QueryExecModeCacheStatement, pgx.QueryExecModeSimpleProtocol} {
		t.Run(m.String(), func(t *testing.T) {
			t.Parallel()
			g := &gate{flushes: make(chan int), open: make(chan struct{})}
			c := postgres.Config{Schema: pgtest.Schema(t)}
			migrated := openOn(t, pgtest.Pool(t), c)
			c.Observer = g
			s := openOn(t, pgtest.Pool(t, func(c *pgxpool.Config) {
				c.MaxConns = 1
				mode(m)(c)
			}), c)
			shared := false
			for i := 0; !shared && i < 50; i++ {
				before := inBackground(t.Context(), s, one(fmt.Sprintf("before-%d", i), 0))
				<-g.flushes
				data := []byte(`{"amount":1}`)
				leaving, leave := context.WithCancel(t.Context())
				told := inBackground(leaving, s, batch(fmt.Sprintf("leaves-%d", i), 0, store.Event{Type: "x", Format: store.JSON, Data: data}))
				stays := inBackground(t.Context(), s, one(fmt.Sprintf("stays-%d", i), 0))
				g.open <- struct{}{}
				<-before
				n := <-g.flushes
				if shared = n == 2; shared {
					leave()
					if a := <-told; !errors.Is(a.err, store.ErrUnknownOutcome) {
						t.Error(a.err)
					}
					copy(data, `{"amount":9}`)
				}
				g.open <- struct{}{}
				if !shared {
					<-g.flushes
					g.open <- struct{}{}
					<-told
				}
				<-stays
				leave()
			}
			if !shared {
				t.Fatal("no flush had two callers, so this test shows nothing")
			}
			all, err := collect(migrated.Read(t.Context(), store.Query{}))
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range all {
				if r.Type == "x" && string(r.Data) == `{"amount":9}` {
					t.Errorf("%s holds %s, appended was {\"amount\":1}", r.Stream, r.Data)
				}
			}
		})
	}
}

// TestAnUnknownOutcomeKeepsWhatWasToBeAppended uses a buffer again after an append
// whose outcome is unknown: appending the error's batches stores what was meant.
func TestAnUnknownOutcomeKeepsWhatWasToBeAppended(t *testing.T) {
	t.Parallel()
	grouping(t, func(t *testing.T, c postgres.Config) {
		for _, m := range []pgx.QueryExecMode{pgx.QueryExecModeCacheStatement, pgx.QueryExecModeSimpleProtocol} {
			c.Schema = pgtest.Schema(t)
			s := openOn(t, pgtest.Pool(t, mode(m)), c)
			release := holdHead(t, s)
			data := []byte(`{"amount":1}`)
			leaving, leave := context.WithCancel(t.Context())
			told := inBackground(leaving, s, batch("a-1", 0, store.Event{Type: "x", Format: store.JSON, Data: data, Metadata: store.Metadata(data)}))
			waitsForHead(t, s, 1)
			leave()
			var unknown *store.UnknownOutcomeError
			if a := <-told; !errors.As(a.err, &unknown) {
				t.Fatal(a.err)
			}
			copy(data, `{"amount":9}`)
			release()
			mustAppend(t, s, unknown.Batches...)
			for _, r := range checkStored(t, s, 1) {
				if string(r.Data) != `{"amount":1}` || r.Metadata.String() != `{"amount": 1}` {
					t.Errorf("stored %s, %s", r.Data, r.Metadata)
				}
			}
		}
	})
}
