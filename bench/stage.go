package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/esgen/esgen/bench/internal/purse"
	"github.com/esgen/esgen/bench/limit"
	"github.com/esgen/esgen/runtime/serializer"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/postgres"
)

// metadata stands in every event, on both sides.
const metadata = `{"user": "ada@example.com"}`

// samplePayload is [purse.Sample] in a format.
func samplePayload(f store.Format) limit.Payload {
	formats := map[store.Format]serializer.Serializer{store.JSON: serializer.JSON{}, store.JSONB: serializer.JSONB{}, store.Msgpack: serializer.Msgpack{}}
	text, err := formats[f].Marshal(purse.Sample)
	if err != nil {
		panic(err) // a test encodes it
	}
	return limit.Payload{Type: purse.MoneySpentName, Format: string(f), Data: text, Metadata: []byte(metadata)}
}

// stage is an empty store in a schema of its own, with the connections that its
// measurement uses.
type stage struct {
	bench  *bench
	plan   plan // the bench's, unless the row has one of its own
	schema string
	pool   *pgxpool.Pool
	db     *postgres.Store
	admin  *pgx.Conn
	log    *limit.Log
	// payload is what both sides write.
	payload limit.Payload
	conns   []*pgx.Conn
}

// settings of a stage; the zero value is what most rows want.
type settings struct {
	format store.Format // of both sides; defaults to JSON
	pool   int32        // connections of the store; defaults to the flag's
	tracer pgx.QueryTracer
	// payload is what both sides write. Defaults to [purse.Sample].
	payload limit.Payload
	// dirty leaves to write what earlier stages have left.
	dirty bool
}

// schemaPrefix tells the schemas of this process from those of others.
func schemaPrefix() string { return fmt.Sprintf("bench_%d_", os.Getpid()) }

// stage makes one. close drops it.
func (b *bench) stage(ctx context.Context, s settings) (_ *stage, err error) {
	b.stages++
	st := &stage{bench: b, plan: b.plan, schema: fmt.Sprintf("%s%d", schemaPrefix(), b.stages)}
	defer func() {
		if err != nil {
			st.close(ctx)
		}
	}()
	if st.admin, err = pgx.Connect(ctx, b.dsn); err != nil {
		return nil, err
	}
	c, err := pgxpool.ParseConfig(b.dsn)
	if err != nil {
		return nil, err
	}
	if c.MaxConns = s.pool; s.pool == 0 {
		c.MaxConns = int32(b.flags.pool)
	}
	c.ConnConfig.Tracer = s.tracer
	if st.pool, err = pgxpool.NewWithConfig(ctx, c); err != nil {
		return nil, err
	}
	if st.db, err = postgres.New(st.pool, postgres.Config{Schema: st.schema, Format: s.format}); err != nil {
		return nil, err
	}
	if err := st.db.Migrate(ctx); err != nil {
		return nil, err
	}
	st.payload = s.payload
	if st.payload.Type == "" {
		st.payload = samplePayload(st.db.Format())
	}
	st.log = limit.NewLog(st.schema, st.payload)
	if s.dirty {
		return st, nil
	}
	// What earlier rows left to write is not this one's.
	_, err = st.admin.Exec(ctx, "CHECKPOINT")
	return st, err
}

// close drops the stage, also if ctx has ended.
func (st *stage) close(ctx context.Context) {
	ctx = context.WithoutCancel(ctx)
	if st.pool != nil {
		st.pool.Close()
	}
	for _, c := range st.conns {
		_ = c.Close(ctx)
	}
	if st.admin != nil {
		if _, err := st.admin.Exec(ctx, "DROP SCHEMA IF EXISTS "+st.schema+" CASCADE"); err != nil {
			st.bench.sayf("the schema %s is left: %v", st.schema, err)
		}
		_ = st.admin.Close(ctx)
	}
}

// connect opens n connections for the limit.
func (st *stage) connect(ctx context.Context, n int) ([]*pgx.Conn, error) {
	for range n {
		c, err := pgx.Connect(ctx, st.bench.dsn)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("connection %d of %d for the limit", len(st.conns)+1, n), err)
		}
		st.conns = append(st.conns, c)
	}
	return st.conns[len(st.conns)-n:], nil
}
