package main

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/esgen/esgen/bench/limit"
)

// recorder notes the statements that the store sends, so that the limit can send
// the very same ones.
type recorder struct {
	mu   sync.Mutex
	on   bool
	sent []limit.Query
}

// TraceQueryStart is called by pgx.
func (r *recorder) TraceQueryStart(ctx context.Context, _ *pgx.Conn, q pgx.TraceQueryStartData) context.Context {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.on {
		r.sent = append(r.sent, limit.Query{SQL: q.SQL, Args: slices.Clone(q.Args)})
	}
	return ctx
}

// TraceQueryEnd is called by pgx.
func (r *recorder) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// during returns what was sent while f ran.
func (r *recorder) during(f func() error) ([]limit.Query, error) {
	r.set(true)
	err := f()
	sent := r.set(false)
	if err == nil && len(sent) == 0 {
		err = errors.New("the store sent no statement that pgx's tracer saw: the limit has nothing to repeat")
	}
	return sent, err
}

func (r *recorder) set(on bool) (sent []limit.Query) {
	r.mu.Lock()
	defer r.mu.Unlock()
	sent, r.on, r.sent = r.sent, on, nil
	return sent
}
