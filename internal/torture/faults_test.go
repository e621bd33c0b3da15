package torture_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/esgen/esgen/internal/pgtest"
	"github.com/esgen/esgen/internal/pgtest/pgproxy"
	"github.com/esgen/esgen/runtime/store/storetest/history"
)

const application = "esgen torture"

// errSignal makes a worker that does not end say where it stands.
const errSignal = syscall.SIGQUIT

// trouble is what happens to a round.
type trouble struct {
	t      *testing.T
	random *rand.Rand
	server *pgtest.Server
	proxy  *pgproxy.Proxy
	crew   *crew
	dir    string

	faults  int
	counted map[string]int
}

// happen does one thing.
func (o *trouble) happen() {
	o.t.Helper()
	switch chance := o.random.IntN(100); {
	case chance < 12:
		o.note("worker killed", func() {
			o.crew.kill(o.random.IntN(len(o.crew.running)))
			o.crew.start()
		})
	case chance < 15 && o.crew.job.Consume:
		o.stop()
	case chance < 19:
		o.note("server killed", func() {
			o.server.Stop(pgtest.Kill)
			o.server.Restart()
		})
	case chance < 23:
		o.note("server stopped at once", func() { o.server.Restart() })
	case chance < 40:
		o.note("backends terminated", func() { o.terminate() })
	case chance < 48:
		o.note("all connections cut", o.proxy.Cut)
	case chance < 58:
		way := []pgproxy.Way{pgproxy.ToServer, pgproxy.ToClient, pgproxy.Both}[o.random.IntN(3)]
		o.note("network silent", func() {
			o.proxy.Hole(way)
			wait(o.t.Context(), time.Duration(o.random.IntN(2_500))*time.Millisecond)
			if o.random.IntN(2) == 0 {
				o.proxy.Cut()
			}
			o.proxy.Heal()
		})
	default:
		o.spring()
	}
}

// stop halts a worker for longer than its lease, which it does not notice, and lets it
// go on. What it holds in the database it holds on to.
func (o *trouble) stop() {
	w := o.crew.running[o.random.IntN(len(o.crew.running))]
	o.note("worker stopped", func() {
		begin := history.Now()
		if err := w.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
			o.t.Errorf("stop worker %s: %v", w.name, err)
			return
		}
		wait(o.t.Context(), time.Duration(o.random.IntN(3_000))*time.Millisecond)
		if err := w.cmd.Process.Signal(syscall.SIGCONT); err != nil {
			o.t.Errorf("continue worker %s: %v", w.name, err)
		}
		name := strconv.Itoa(o.faults) + "-" + w.name
		if err := history.Stopped(o.dir, name, deliveries(w.name), begin, history.Now()); err != nil {
			o.t.Error(err)
		}
	})
}

// spring sets traps for some of the next requests, at any point of the protocol.
func (o *trouble) spring() {
	points := []pgproxy.Point{
		pgproxy.Request, pgproxy.MidRequest, pgproxy.Sent, pgproxy.Answer, pgproxy.MidAnswer, pgproxy.Complete, pgproxy.Connect, pgproxy.Cancel,
	}
	names := []string{"request", "half a request", "sent", "answer", "half an answer", "complete", "connect", "cancel"}
	at := o.random.IntN(len(points))
	f := pgproxy.Fault{At: points[at], Times: 1 + o.random.IntN(6), Chance: 0.2, Delay: time.Duration(o.random.IntN(1_000)) * time.Millisecond}
	var what string
	switch o.random.IntN(5) {
	case 0, 1:
		f.Do, what = pgproxy.Cut, "cut"
	case 2:
		f.Do, what = pgproxy.Delay, "delayed"
	default:
		f.Do, what = pgproxy.Hole, "silent"
	}
	o.proxy.Arm(f)
	o.counted[what+" at "+names[at]]++
}

// note writes down what happens, with its time.
func (o *trouble) note(what string, do func()) {
	o.t.Helper()
	begin := history.Now()
	do()
	o.faults++
	o.counted[what]++
	if err := history.Fault(o.dir, strconv.Itoa(o.faults), begin, history.Now()); err != nil {
		o.t.Fatal(err)
	}
}

// terminate ends some backends that are at work, or idle in a transaction.
func (o *trouble) terminate() {
	ctx := o.t.Context()
	c, err := pgx.Connect(ctx, o.server.URL())
	if err != nil {
		o.t.Errorf("connect to terminate backends: %v", err)
		return
	}
	defer func() { _ = c.Close(ctx) }()
	_, err = c.Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE application_name = $1 AND state <> 'idle' ORDER BY random() LIMIT 3`, application)
	if err != nil {
		o.t.Errorf("terminate backends: %v", err)
	}
}

func (o *trouble) String() string {
	c := o.proxy.Counts()
	return fmt.Sprintf("%v; the proxy cut %d, delayed %d and silenced %d of %d requests on %d connections",
		o.counted, c.Cuts, c.Delays, c.Holes, c.Requests, c.Connections)
}

// wait waits for d or the end of ctx.
func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
