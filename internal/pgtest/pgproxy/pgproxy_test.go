package pgproxy_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"reflect"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"go.uber.org/goleak"

	"github.com/esgen/esgen/internal/pgtest"
	"github.com/esgen/esgen/internal/pgtest/pgproxy"
)

const childVariable = "ESGEN_PGPROXY_CHILD"

func TestMain(m *testing.M) {
	if url := os.Getenv(childVariable); url != "" {
		os.Exit(child(url))
	}
	goleak.VerifyTestMain(m)
}

var insertion = regexp.MustCompile(`(?i)^insert`)

var modes = []pgx.QueryExecMode{
	pgx.QueryExecModeCacheStatement, pgx.QueryExecModeCacheDescribe, pgx.QueryExecModeDescribeExec,
	pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol,
}

// rig is a table behind a proxy.
type rig struct {
	t      *testing.T
	proxy  *pgproxy.Proxy
	direct *pgx.Conn // past the proxy
	table  string
}

func newRig(t *testing.T, o pgproxy.Options) *rig {
	t.Helper()
	return newRigOn(t, pgtest.URL(t), pgtest.Schema(t), o)
}

func newRigOn(t *testing.T, url, schema string, o pgproxy.Options) *rig {
	t.Helper()
	proxy, err := pgproxy.New(url, o)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, proxy: proxy, direct: connect(t, url), table: schema + ".t"}
	t.Cleanup(func() {
		if err := proxy.Close(); err != nil {
			t.Error(err)
		}
		if n := proxy.Open(); n != 0 {
			t.Errorf("%d connections are left", n)
		}
	})
	if _, err := r.direct.Exec(t.Context(), "CREATE SCHEMA "+schema+" CREATE TABLE t (i int)"); err != nil {
		t.Fatal(err)
	}
	return r
}

func connect(t *testing.T, url string, configure ...func(*pgx.ConnConfig)) *pgx.Conn {
	t.Helper()
	c, err := dial(t.Context(), t, url, configure...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func dial(ctx context.Context, t *testing.T, url string, configure ...func(*pgx.ConnConfig)) (*pgx.Conn, error) {
	t.Helper()
	config, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	for _, set := range configure {
		set(config)
	}
	c, err := pgx.ConnectConfig(ctx, config)
	if err == nil {
		t.Cleanup(func() {
			c.Close(context.Background())
			<-c.PgConn().CleanupDone()
		})
	}
	return c, err
}

func mode(m pgx.QueryExecMode) func(*pgx.ConnConfig) {
	return func(c *pgx.ConnConfig) { c.DefaultQueryExecMode = m }
}

// insert stores i and reads a row of the answer.
func (r *rig) insert(ctx context.Context, c *pgx.Conn, i int) error {
	var got int
	return c.QueryRow(ctx, "INSERT INTO "+r.table+" VALUES ($1) RETURNING i", i).Scan(&got)
}

func (r *rig) stored() (all []int) {
	r.t.Helper()
	rows, err := r.direct.Query(r.t.Context(), "SELECT i FROM "+r.table+" ORDER BY i")
	if err == nil {
		all, err = pgx.CollectRows(rows, pgx.RowTo[int])
	}
	if err != nil {
		r.t.Fatal(err)
	}
	return all
}

// eventually fails t unless done becomes true soon.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(20 * time.Second); !done(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("waited 20 s in vain: %s", what)
		}
	}
}

func await(t *testing.T, what string, event <-chan struct{}) {
	t.Helper()
	select {
	case <-event:
	case <-time.After(20 * time.Second):
		t.Fatalf("waited 20 s in vain: %s", what)
	}
}

func TestNothingChangesUnlessAsked(t *testing.T) {
	t.Parallel()
	for _, tcp := range []bool{false, true} {
		for _, m := range modes {
			t.Run(fmt.Sprintf("%s/tcp=%t", m, tcp), func(t *testing.T) {
				t.Parallel()
				r := newRig(t, pgproxy.Options{TCP: tcp})
				c := connect(t, r.proxy.URL(), mode(m))
				for i := range 3 {
					if err := r.insert(t.Context(), c, i); err != nil {
						t.Fatal(err)
					}
				}
				var b pgx.Batch
				for i := 3; i < 6; i++ {
					b.Queue("INSERT INTO "+r.table+" VALUES ($1)", i)
				}
				if err := c.SendBatch(t.Context(), &b).Close(); err != nil {
					t.Fatal(err)
				}
				if n, err := c.CopyFrom(t.Context(), strings.Split(r.table, "."), []string{"i"}, pgx.CopyFromRows([][]any{{6}, {7}})); err != nil || n != 2 {
					t.Fatalf("copied %d, %v", n, err)
				}
				var pg *pgconn.PgError
				if _, err := c.Exec(t.Context(), "SELECT 1/0"); !errors.As(err, &pg) || pg.Code != "22012" {
					t.Errorf("an error of the server: %v", err)
				}
				long := strings.Repeat("x", 3<<20)
				var back string
				if err := c.QueryRow(t.Context(), "SELECT $1::text", long).Scan(&back); err != nil || back != long {
					t.Errorf("%d bytes came back, %v", len(back), err)
				}
				if _, err := c.Exec(t.Context(), "LISTEN bell"); err != nil {
					t.Fatal(err)
				}
				if _, err := r.direct.Exec(t.Context(), "NOTIFY bell, 'ding'"); err != nil {
					t.Fatal(err)
				}
				if n, err := c.WaitForNotification(t.Context()); err != nil || n.Payload != "ding" {
					t.Errorf("notified %+v, %v", n, err)
				}
				if want := []int{0, 1, 2, 3, 4, 5, 6, 7}; !reflect.DeepEqual(r.stored(), want) {
					t.Errorf("stored %v", r.stored())
				}
				n := r.proxy.Counts()
				if n.Connections != 1 || n.Requests < 8 || n.Requests != n.Answers || n.ToServer < 3<<20 || n.ToClient < 3<<20 ||
					n.Cuts+n.Resets+n.Delays+n.Holds+n.Holes+n.Cancels+n.Unreachable != 0 {
					t.Errorf("counted %+v", n)
				}
			})
		}
	}
}

// TestEveryPointIsWhereItSays cuts an insertion at each point, in each query mode,
// and looks whether it is stored.
func TestEveryPointIsWhereItSays(t *testing.T) {
	t.Parallel()
	points := map[string]struct {
		at     pgproxy.Point
		stored bool
	}{
		"request":    {pgproxy.Request, false},
		"midrequest": {pgproxy.MidRequest, false},
		"sent":       {pgproxy.Sent, true},
		"answer":     {pgproxy.Answer, true},
		"midanswer":  {pgproxy.MidAnswer, true},
		"complete":   {pgproxy.Complete, true},
	}
	for name, point := range points {
		for _, m := range modes {
			t.Run(name+"/"+m.String(), func(t *testing.T) {
				t.Parallel()
				r := newRig(t, pgproxy.Options{})
				c := connect(t, r.proxy.URL(), mode(m))
				if err := r.insert(t.Context(), c, 1); err != nil {
					t.Fatal(err)
				}
				// pgx asks to cancel what the server may be doing.
				r.proxy.Arm(pgproxy.Fault{At: pgproxy.Cancel, Times: -1})
				before := r.proxy.Counts()
				trap := r.proxy.Arm(pgproxy.Fault{At: point.at, SQL: insertion})
				if _, err := c.Exec(t.Context(), "SELECT 1"); err != nil {
					t.Fatalf("another statement was hit: %v", err)
				}
				if err := r.insert(t.Context(), c, 2); err == nil || !c.IsClosed() {
					t.Fatalf("the insertion was not hit: %v", err)
				}
				await(t, "the trap says so", trap.Hit())
				if point.at == pgproxy.Sent {
					eventually(t, "the server stores it", func() bool { return len(r.stored()) == 2 })
				}
				// The connection is the server's until it has done all that it was told.
				eventually(t, "the server's connection ends", func() bool { return r.proxy.Open() == 0 })
				if got := len(r.stored()) == 2; got != point.stored {
					t.Errorf("stored: %t, want %t", got, point.stored)
				}
				after := r.proxy.Counts()
				if trap.Hits() != 1 || after.Cuts == before.Cuts {
					t.Errorf("%d hits, counted %+v", trap.Hits(), after)
				}
				// Once is once.
				if err := r.insert(t.Context(), connect(t, r.proxy.URL(), mode(m)), 3); err != nil {
					t.Errorf("the next one: %v", err)
				}
			})
		}
	}
}

// TestACommitIsCutOnEitherSide is what a client cannot tell apart.
func TestACommitIsCutOnEitherSide(t *testing.T) {
	t.Parallel()
	for at, want := range map[pgproxy.Point]int{pgproxy.Request: 0, pgproxy.Answer: 1} {
		t.Run(fmt.Sprint(want), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, pgproxy.Options{})
			tx, err := connect(t, r.proxy.URL()).Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := tx.Exec(t.Context(), "INSERT INTO "+r.table+" VALUES (1)"); err != nil {
				t.Fatal(err)
			}
			r.proxy.Arm(pgproxy.Fault{At: at, SQL: regexp.MustCompile(`(?i)^commit`)})
			if err := tx.Commit(t.Context()); err == nil {
				t.Fatal("the commit was not hit")
			}
			eventually(t, "the server's connection ends", func() bool { return r.proxy.Open() == 0 })
			if got := len(r.stored()); got != want {
				t.Errorf("%d rows are stored, want %d", got, want)
			}
		})
	}
}

// TestABatchIsOneRequest cuts at a statement in the middle of a batch, which in the
// extended protocol is one transaction.
func TestABatchIsOneRequest(t *testing.T) {
	t.Parallel()
	for at, want := range map[pgproxy.Point]int{pgproxy.Request: 0, pgproxy.MidRequest: 0, pgproxy.MidAnswer: 3, pgproxy.Complete: 3} {
		t.Run(fmt.Sprint(at), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, pgproxy.Options{})
			c := connect(t, r.proxy.URL(), mode(pgx.QueryExecModeExec))
			r.proxy.Arm(pgproxy.Fault{At: at, SQL: regexp.MustCompile(`second`)})
			var b pgx.Batch
			for _, comment := range []string{"first", "second", "third"} {
				b.Queue("INSERT INTO "+r.table+" VALUES ($1) RETURNING i -- "+comment, len(b.QueuedQueries))
			}
			results := c.SendBatch(t.Context(), &b)
			defer results.Close()
			_, first := results.Exec()
			_, second := results.Exec()
			if wantFirst := at >= pgproxy.MidAnswer; (first == nil) != wantFirst || second == nil {
				t.Errorf("first %v, second %v", first, second)
			}
			eventually(t, "the server's connection ends", func() bool { return r.proxy.Open() == 0 })
			if got := len(r.stored()); got != want {
				t.Errorf("%d rows are stored, want %d", got, want)
			}
		})
	}
}

func TestCopyIsAnsweredAlsoInATrap(t *testing.T) {
	t.Parallel()
	r := newRig(t, pgproxy.Options{})
	trap := r.proxy.Arm(pgproxy.Fault{At: pgproxy.Answer, SQL: regexp.MustCompile(`(?i)^copy`)})
	c := connect(t, r.proxy.URL())
	if _, err := c.CopyFrom(t.Context(), strings.Split(r.table, "."), []string{"i"}, pgx.CopyFromRows([][]any{{6}, {7}})); err == nil {
		t.Error("the copy was not hit")
	}
	if trap.Hits() != 1 || len(r.stored()) != 2 {
		t.Errorf("%d hits, stored %v", trap.Hits(), r.stored())
	}
}

// child inserts a row and says how it went.
func child(url string) int {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	c, err := pgx.Connect(ctx, url)
	if err == nil {
		_, err = c.Exec(ctx, "INSERT INTO "+os.Args[1]+" VALUES (1)")
	}
	fmt.Println(err)
	return 0
}

func TestOtherProcessesUseTheProxy(t *testing.T) {
	t.Parallel()
	r := newRig(t, pgproxy.Options{})
	r.proxy.Arm(pgproxy.Fault{At: pgproxy.Answer, SQL: insertion, Skip: 1})
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		cmd := exec.CommandContext(t.Context(), program, r.table)
		cmd.Env = append(os.Environ(), childVariable+"="+r.proxy.URL())
		out, err := cmd.Output()
		if told := strings.TrimSpace(string(out)) == "<nil>"; err != nil || told != (i != 1) {
			t.Errorf("process %d says %s, %v", i, out, err)
		}
	}
	if got := len(r.stored()); got != 3 {
		t.Errorf("%d rows are stored", got)
	}
}

func TestResetIsSeenAsOne(t *testing.T) {
	t.Parallel()
	r := newRig(t, pgproxy.Options{TCP: true})
	c := connect(t, r.proxy.URL())
	r.proxy.Arm(pgproxy.Fault{At: pgproxy.Answer, Do: pgproxy.Reset, SQL: insertion})
	if err := r.insert(t.Context(), c, 1); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("got %v", err)
	}
	if n := r.proxy.Counts(); n.Resets != 1 || n.Cuts != 0 {
		t.Errorf("counted %+v", n)
	}
}
