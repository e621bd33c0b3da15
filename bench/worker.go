package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/esgen/esgen/bench/internal/measure"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/postgres"
)

// order is what a worker process is told to do, a line of JSON; answer is what it
// says then.
type order struct {
	Writers int           `json:"writers"`
	Length  time.Duration `json:"length"`
}

type answer struct {
	Events  int64                  `json:"events"`
	Ops     int64                  `json:"ops"`
	Elapsed time.Duration          `json:"elapsed"`
	Mallocs uint64                 `json:"mallocs"`
	Bytes   uint64                 `json:"bytes"`
	Latency *hdrhistogram.Snapshot `json:"latency"`
	Err     string                 `json:"err"`
}

// work is the hidden command of this program by which it measures in a process of
// its own: it appends single events as long as orders come.
func work(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	set := newFlags("work")
	dsn := set.String("dsn", "", "server")
	schema := set.String("schema", "", "of the store")
	connections := set.Int("pool", 10, "connections")
	if err := parse(set, args); err != nil {
		return err
	}
	c, err := pgxpool.ParseConfig(*dsn)
	if err != nil {
		return err
	}
	c.MaxConns = int32(*connections)
	pool, err := pgxpool.NewWithConfig(ctx, c)
	if err != nil {
		return err
	}
	defer pool.Close()
	db, err := postgres.New(pool, postgres.Config{Schema: *schema})
	if err != nil {
		return err
	}
	st := &stage{payload: samplePayload(db.Format())}
	op := st.appendTo(db, 1, store.NoStream, ordered)
	answers := json.NewEncoder(out)
	for orders := json.NewDecoder(in); ; {
		var o order
		if err := orders.Decode(&o); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		r, err := ours("", o.Writers, op).run(ctx, o.Length)
		said := answer{Events: r.Events, Ops: r.Ops, Elapsed: r.Elapsed, Mallocs: r.Mallocs, Bytes: r.Bytes}
		if err != nil {
			said.Err = err.Error()
		} else {
			said.Latency = r.Latency.Export()
		}
		if err := answers.Encode(said); err != nil {
			return err
		}
	}
}

// worker is such a process.
type worker struct {
	cmd     *exec.Cmd
	orders  io.WriteCloser
	answers *json.Decoder
}

func (st *stage) worker(ctx context.Context) (*worker, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	w := &worker{cmd: exec.CommandContext(ctx, self, "work", "-dsn", st.bench.dsn, "-schema", st.schema,
		"-pool", strconv.Itoa(st.bench.flags.pool))}
	w.cmd.Stderr = os.Stderr
	if w.orders, err = w.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	w.answers = json.NewDecoder(bufio.NewReader(out))
	return w, w.cmd.Start()
}

func (w *worker) run(o order) (measure.Result, error) {
	if err := json.NewEncoder(w.orders).Encode(o); err != nil {
		return measure.Result{}, err
	}
	var r answer
	if err := w.answers.Decode(&r); err != nil {
		return measure.Result{}, fmt.Errorf("worker process %d: %w", w.cmd.Process.Pid, err)
	}
	if r.Err != "" {
		return measure.Result{}, fmt.Errorf("worker process %d: %s", w.cmd.Process.Pid, r.Err)
	}
	return measure.Result{
		Events: r.Events, Ops: r.Ops, Elapsed: r.Elapsed, Mallocs: r.Mallocs, Bytes: r.Bytes,
		Latency: hdrhistogram.Import(r.Latency),
	}, nil
}

// close ends the process: no more orders come.
func (w *worker) close() {
	_ = w.orders.Close()
	_ = w.cmd.Wait()
}
