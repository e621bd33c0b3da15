package torture_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/postgres"
	"github.com/esgen/esgen/runtime/store/storetest/history"
)

// A worker is this test binary, started again. It works until its standard input
// ends, and comes to an end then, or until it is killed.
const workerVariable = "ESGEN_TORTURE_WORKER"

// job is what a worker is told.
type job struct {
	URL     string        `json:"url"`
	Schema  string        `json:"schema"`
	Dir     string        `json:"dir"`
	Name    string        `json:"name"`
	Seed    uint64        `json:"seed"`
	Writers int           `json:"writers"`
	Format  store.Format  `json:"format"`
	Alone   bool          `json:"alone"` // without group commit
	Hold    time.Duration `json:"hold"`
	Timeout time.Duration `json:"timeout"`
	Pause   time.Duration `json:"pause"`
	// Consume: it also runs subscriptions.
	Consume bool `json:"consume"`
	// File: the store is this file of SQLite, instead of what URL and Schema say.
	File string `json:"file"`
}

func work(text string) error {
	var j job
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	if j.File != "" {
		return j.workOnFile(ctx)
	}
	c, err := pgxpool.ParseConfig(j.URL)
	if err != nil {
		return err
	}
	c.MaxConns = 10
	c.ConnConfig.RuntimeParams["application_name"] = application
	c.ConnConfig.ConnectTimeout = j.Timeout
	c.PingTimeout = j.Timeout // else a ping into a silent network holds up the pool's Close
	pool, err := pgxpool.NewWithConfig(context.Background(), c)
	if err != nil {
		return err
	}
	defer pool.Close()
	s, err := postgres.New(pool, postgres.Config{
		Schema: j.Schema, Format: j.Format, HardDeletes: true, NoGroupCommit: j.Alone,
	})
	if err != nil {
		return err
	}
	consumed := make(chan error, 1)
	go func() { consumed <- j.consume(ctx, s) }()
	err = errors.Join(history.Run(ctx, j.config(s)), <-consumed)
	closing, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return errors.Join(err, s.Close(closing))
}

func (j job) config(s *postgres.Store) history.Config {
	return history.Config{
		InTx: func(ctx context.Context, do func(context.Context, store.Streams) error) ([]store.Appended, error) {
			return postgres.InTx(ctx, s, func(ctx context.Context, _ pgx.Tx, tx *postgres.Tx) error { return do(ctx, tx) })
		},
		Delete: func(ctx context.Context, stream string) error { return s.Delete(ctx, stream, store.Any, store.Hard) },
		Store:  s, Dir: j.Dir, Name: j.Name, Seed: j.Seed, Writers: j.Writers,
		Hold: j.Hold, Timeout: j.Timeout, Pause: j.Pause,
	}
}

// crew are the workers of a round.
type crew struct {
	t    *testing.T
	job  job
	urls []string
	made int

	running []*worker
}

type worker struct {
	name string
	cmd  *exec.Cmd
	in   io.Closer
	err  *output
}

// output keeps what a worker says at the end of its life.
type output struct {
	mu   sync.Mutex
	text []byte
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text = append(o.text, p...)
	return len(p), nil
}

// start starts one more worker.
func (c *crew) start() {
	c.t.Helper()
	c.made++
	j := c.job
	j.Name = fmt.Sprintf("p%d", c.made)
	if len(c.urls) > 0 {
		j.URL = c.urls[c.made%len(c.urls)]
	}
	// Every process is a little different, as in a rolling change of settings.
	j.Format = []store.Format{store.JSON, store.JSONB, store.Msgpack}[c.made/2%3]
	j.Alone = c.made%4 == 0
	text, err := json.Marshal(j)
	if err != nil {
		c.t.Fatal(err)
	}
	w := &worker{name: j.Name, err: &output{}}
	w.cmd = exec.CommandContext(context.Background(), os.Args[0])
	w.cmd.Env = append(os.Environ(), workerVariable+"="+string(text))
	w.cmd.Stdout, w.cmd.Stderr = w.err, w.err
	if w.in, err = w.cmd.StdinPipe(); err != nil {
		c.t.Fatal(err)
	}
	if err := w.cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	c.running = append(c.running, w)
}

// kill ends the i-th worker with SIGKILL.
func (c *crew) kill(i int) {
	w := c.running[i]
	c.running = append(c.running[:i:i], c.running[i+1:]...)
	_ = w.cmd.Process.Kill()
	_ = w.in.Close()
	if err := w.cmd.Wait(); w.cmd.ProcessState.Exited() {
		c.t.Errorf("worker %s ended by itself: %v: %s", w.name, err, w.err.text)
	}
}

// dismiss lets all workers come to an end, and kills those that do not.
func (c *crew) dismiss(patience time.Duration) {
	for _, w := range c.running {
		_ = w.in.Close()
	}
	late := time.AfterFunc(patience, func() {
		for _, w := range c.running {
			_ = w.cmd.Process.Signal(errSignal)
		}
	})
	defer late.Stop()
	for _, w := range c.running {
		if err := w.cmd.Wait(); err != nil {
			c.t.Errorf("worker %s, asked to end, within %s: %v: %s", w.name, patience, err, tail(w.err.text))
		}
	}
	c.running = nil
}

func tail(text []byte) []byte { return text[max(0, len(text)-6_000):] }
