package main

import (
	"cmp"
	"context"
	"fmt"
	"runtime/pprof"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/esgen/esgen/bench/internal/measure"
	"github.com/esgen/esgen/bench/internal/result"
	"github.com/esgen/esgen/bench/limit"
)

// side is one of those that take turns.
type side struct {
	name string
	// length of a turn, if it is not the plan's.
	length time.Duration
	run    func(ctx context.Context, length time.Duration) (measure.Result, error)
	// whole tells that a turn is not to be warmed up: it takes as long as it takes.
	whole bool
	// What is done around each turn, not measured.
	before, after func(context.Context) error
}

// ours is a side of n goroutines that all do op.
func ours(name string, n int, op measure.Op) side {
	ops := make([]measure.Op, n)
	for i := range ops {
		ops[i] = op
	}
	return sideOf(name, ops)
}

func sideOf(name string, ops []measure.Op) side {
	return side{name: name, run: func(ctx context.Context, length time.Duration) (measure.Result, error) {
		return measure.During(ctx, ops, length)
	}}
}

// rounds is a side whose turns are n operations each, however long they take.
func rounds(name string, ops []measure.Op, n int) side {
	return side{name: name, whole: true, run: func(ctx context.Context, _ time.Duration) (measure.Result, error) {
		return measure.Rounds(ctx, ops, n)
	}}
}

// writes is the limit that writes to the stage's events: its turns begin behind
// what the store has written and leave the store able to go on.
func (st *stage) writes(s side) side {
	s.before = func(ctx context.Context) error { return st.log.Begin(ctx, st.admin) }
	s.after = func(ctx context.Context) error { return st.log.End(ctx, st.admin) }
	return s
}

// inserts is the limit of n connections that each insert a row and commit.
func (st *stage) inserts(ctx context.Context, n int) (side, error) {
	conns, err := st.connect(ctx, n)
	if err != nil {
		return side{}, err
	}
	ops := make([]measure.Op, n)
	for i, c := range conns {
		op, err := st.log.Insert(ctx, c)
		if err != nil {
			return side{}, err
		}
		ops[i] = measure.Op(op)
	}
	return st.writes(sideOf(fmt.Sprintf("prepared INSERT of one row and commit, connections: %d", n), ops)), nil
}

// copies is the limit of n connections that each COPY a number of rows and commit,
// by [limit.Log.Copy] or another way.
func (st *stage) copies(ctx context.Context, n, rows int, how func(*limit.Log, *pgx.Conn, int) limit.Op) (side, error) {
	conns, err := st.connect(ctx, n)
	if err != nil {
		return side{}, err
	}
	ops := make([]measure.Op, n)
	for i, c := range conns {
		ops[i] = measure.Op(how(st.log, c, rows))
	}
	return st.writes(sideOf(fmt.Sprintf("binary COPY of %d rows and commit, connections: %d", rows, n), ops)), nil
}

// selects is the limit of one connection per list of reads, which are made again
// as the store made them.
func (st *stage) selects(ctx context.Context, n int, reads [][]limit.Query) ([]measure.Op, error) {
	conns, err := st.connect(ctx, n)
	if err != nil {
		return nil, err
	}
	ops := make([]measure.Op, n)
	for i, c := range conns {
		ops[i] = measure.Op(limit.Select(c, reads, i*len(reads)/n))
	}
	return ops, nil
}

// duel lets the sides and the limit take turns and returns a row of each side. The
// order within a round turns too, so that nobody always follows the same one.
func (st *stage) duel(ctx context.Context, of result.Metric, sides []side, lim side) ([]result.Row, error) {
	all := append(append([]side(nil), sides...), lim)
	samples := make([][]result.Sample, len(all))
	for round := range st.plan.rounds {
		for i := range all {
			k := (i + round) % len(all)
			s, err := st.turn(ctx, all[k])
			if err != nil {
				return nil, fmt.Errorf("%s: %w", all[k].name, err)
			}
			samples[k] = append(samples[k], s)
		}
	}
	rows := make([]result.Row, len(sides))
	for i, s := range sides {
		rows[i] = result.NewRow(s.name, lim.name, of, samples[i], samples[len(sides)])
	}
	return rows, nil
}

// turn runs one side once.
func (st *stage) turn(ctx context.Context, s side) (result.Sample, error) {
	if s.before != nil {
		if err := s.before(ctx); err != nil {
			return result.Sample{}, err
		}
	}
	// The server counts what warms up too; so warming up is a turn of its own.
	if warm := st.plan.warm; warm > 0 && !s.whole {
		if _, err := s.run(ctx, warm); err != nil {
			return result.Sample{}, err
		}
	}
	before, err := measure.Counters(ctx, st.admin)
	if err != nil {
		return result.Sample{}, err
	}
	var r measure.Result
	pprof.Do(ctx, pprof.Labels("side", s.name), func(ctx context.Context) {
		r, err = s.run(ctx, cmp.Or(s.length, st.plan.length))
	})
	if err == nil {
		err = r.Check()
	}
	if err != nil {
		return result.Sample{}, err
	}
	after, err := measure.Counters(ctx, st.admin)
	if err != nil {
		return result.Sample{}, err
	}
	if s.after != nil {
		err = s.after(ctx)
	}
	return result.SampleOf(r, after.Sub(before)), err
}
