package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/sqlite"
	"github.com/esgen/esgen/runtime/subscribe"
)

// killAtEnv tells a child at which of its steps it is killed: a step is a row that is
// about to change, a commit that is about to begin, or a transaction whose end nobody
// was told of yet.
const killAtEnv = "ESGEN_SQLITE_TEST_KILL_AT"

// looseEnv tells a child to move the lane behind the transaction, which is wrong.
const looseEnv = "ESGEN_SQLITE_TEST_LOOSE"

// toHandle is how many events a killed process was to handle.
const toHandle = 2

// handleAndDie runs a transactional subscription until it has handled what is there,
// and is killed at a step of that. If it is not, it prints how many there were.
func handleAndDie(file string) error {
	at, err := strconv.Atoi(os.Getenv(killAtEnv))
	if err != nil {
		return err
	}
	var steps atomic.Int64
	step := func() {
		if steps.Add(1) == int64(at) {
			if self, err := os.FindProcess(os.Getpid()); err == nil {
				_ = self.Kill()
			}
			select {} // until that comes
		}
	}
	faults.Store(file, &fault{commit: step, change: step})
	s, err := sqlite.Open(file, sqlite.Config{})
	if err != nil {
		return err
	}
	if err := handleAll(context.Background(), killable{s, step, os.Getenv(looseEnv) != ""}); err != nil {
		return err
	}
	fmt.Println(steps.Load())
	return s.Close(context.Background())
}

// killable is a store that takes a step behind each transaction.
type killable struct {
	*sqlite.Store
	step  func()
	loose bool
}

func (k killable) Transact(ctx context.Context, m store.Move, f func(context.Context, store.Streams) error) error {
	if !k.loose {
		err := k.Store.Transact(ctx, m, f)
		k.step()
		return err
	}
	to := m.To
	m.To = m.From
	err := k.Store.Transact(ctx, m, f)
	k.step()
	if err == nil {
		m.To = to
		err = k.Subscriptions().Advance(ctx, m)
	}
	return err
}

// handleAll runs the subscription until it has handled what is there.
func handleAll(ctx context.Context, db store.Store) error {
	handle := func(ctx context.Context, events []store.Recorded) error {
		tx, ok := sqlite.TxFrom(ctx)
		if !ok {
			return errors.New("the context gives no transaction")
		}
		in, _ := store.StreamsFrom(ctx)
		for _, r := range events {
			if _, err := tx.ExecContext(ctx, "INSERT INTO effect VALUES (?)", int64(r.Version)); err != nil {
				return err
			}
			if _, err := in.Append(ctx, one("out-1")); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, "UPDATE effect SET n = n WHERE n = ?", int64(r.Version)); err != nil {
				return err
			}
		}
		return nil
	}
	sub, err := subscribe.NewTx(db, "s", handle, subscribe.Config{
		Stream: "in-1", Lease: 300 * time.Millisecond, Batch: subscribe.Batch{Size: 1},
	})
	if err != nil {
		return err
	}
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- sub.Run(running) }()
	waiting, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	select {
	case <-sub.Live():
	case err := <-ended:
		stop()
		return fmt.Errorf("it ended: %w", err)
	}
	err = subscribe.WaitFor(waiting, db, "s", store.Appended{Stream: "in-1", Version: toHandle})
	stop()
	<-ended
	return err
}

// killedAt lets a process be killed at a step, and another one finish its work. It
// returns how many steps the process took, 0 if it was killed, and what is wrong with
// what is there in the end.
func killedAt(t *testing.T, at int, env ...string) (steps int, wrong string) {
	t.Helper()
	file := newFile(t)
	s := migrated(t, file, sqlite.Config{})
	db := raw(t, file)
	run(t, db, "CREATE TABLE effect (n INTEGER)")
	for range toHandle {
		if _, err := s.Append(t.Context(), one("in-1")); err != nil {
			t.Fatal(err)
		}
	}
	c := child(t, "killed", file)
	c.Env = append(append(c.Env, env...), killAtEnv+"="+strconv.Itoa(at))
	out, err := c.Output()
	survived := c.ProcessState.Exited()
	if survived && err != nil {
		t.Fatalf("the process ended by itself: %v", err)
	}
	if err := handleAll(t.Context(), s); err != nil {
		t.Fatalf("step %d: the next process: %v", at, err)
	}
	var effects, different int
	if err := db.QueryRow("SELECT count(*), count(DISTINCT n) FROM effect").Scan(&effects, &different); err != nil {
		t.Fatal(err)
	}
	if n := count(t, s); effects != toHandle || different != toHandle || n != 2*toHandle {
		wrong = fmt.Sprintf("killed at step %d: %d effects of %d events, and %d events are stored; want one effect each of %d", at, effects, different, n, toHandle)
	}
	if survived {
		if steps, err = strconv.Atoi(strings.TrimSpace(string(out))); err != nil {
			t.Fatal(err)
		}
	}
	return steps, wrong
}

// TestAProcessIsKilledAtEachStepOfATransaction, and before and behind, one after
// another: another process finishes its work, and every effect is there once.
func TestAProcessIsKilledAtEachStepOfATransaction(t *testing.T) {
	t.Parallel()
	steps, wrong := killedAt(t, 0)
	if steps < 10*toHandle || wrong != "" {
		t.Fatalf("a process that is not killed takes %d steps; %s", steps, wrong)
	}
	var killed atomic.Int64
	t.Run("at", func(t *testing.T) {
		for at := 1; at <= steps; at++ {
			t.Run(strconv.Itoa(at), func(t *testing.T) {
				t.Parallel()
				steps, wrong := killedAt(t, at)
				if wrong != "" {
					t.Error(wrong)
				}
				if steps == 0 {
					killed.Add(1)
				}
			})
		}
	})
	// One may have renewed its lease once less.
	if n := int(killed.Load()); n < steps-4 {
		t.Errorf("of %d processes %d were killed", steps, n)
	}
}

// TestALaneThatMovesBehindTheTransactionIsFound: the same, of a store that is wrong.
func TestALaneThatMovesBehindTheTransactionIsFound(t *testing.T) {
	t.Parallel()
	const loose = looseEnv + "=1"
	steps, _ := killedAt(t, 0, loose)
	for at := 1; at <= steps; at++ {
		if _, wrong := killedAt(t, at, loose); wrong != "" {
			t.Log(wrong)
			return
		}
	}
	t.Errorf("none of %d steps has shown it", steps)
}
