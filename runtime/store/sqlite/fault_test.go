package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	driver "modernc.org/sqlite"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/sqlite"
)

// faults are what is to go wrong with a file, by its path.
var faults sync.Map

type fault struct {
	// pages is the most that the file may have, as if the disk were full then.
	pages atomic.Int64
	// commit is called by every COMMIT that writes, change before every row changes.
	commit, change func()
}

// applyFaults is called by the driver for each new connection.
func applyFaults(conn driver.ExecQuerierContext, dsn string) error {
	var f *fault
	faults.Range(func(file, value any) bool {
		if strings.HasPrefix(dsn, "file://"+file.(string)+"?") {
			f = value.(*fault)
		}
		return f == nil
	})
	if f == nil {
		return nil
	}
	if n := f.pages.Load(); n > 0 {
		if _, err := conn.ExecContext(context.Background(), fmt.Sprintf("PRAGMA max_page_count = %d", n), nil); err != nil {
			return err
		}
	}
	if f.commit != nil {
		conn.(driver.HookRegisterer).RegisterCommitHook(func() int32 { f.commit(); return 0 })
	}
	if f.change != nil {
		conn.(driver.HookRegisterer).RegisterPreUpdateHook(func(driver.SQLitePreUpdateData) { f.change() })
	}
	return nil
}

// faulty makes f go wrong with file.
func faulty(t *testing.T, file string, f *fault) {
	faults.Store(file, f)
	t.Cleanup(func() { faults.Delete(file) })
}

func TestFullDiskIsSaidAndPasses(t *testing.T) {
	t.Parallel()
	file := newFile(t)
	migrated(t, file, sqlite.Config{})
	f := &fault{}
	f.pages.Store(60)
	faulty(t, file, f)
	s := opened(t, file, sqlite.Config{})
	if _, err := s.Append(t.Context(), one("bank-1")); err != nil {
		t.Fatal(err)
	}
	large := store.Batch{Stream: "bank-2", Expected: store.NoStream, Events: []store.Event{event(`"` + strings.Repeat("x", 1<<20) + `"`)}}
	_, err := s.Append(t.Context(), large)
	if !errors.Is(err, store.ErrUnavailable) || !store.Retryable(err) || !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), "no space left") {
		t.Fatalf("append to a full disk: %v", err)
	}
	if n := count(t, s); n != 1 {
		t.Fatalf("%d events are stored, want 1", n)
	}
	f.pages.Store(100_000)
	if _, err := s.Append(t.Context(), large); err != nil {
		t.Fatalf("append after room was made: %v", err)
	}
}

// Appends that share a transaction with one that cannot be stored are stored.
func TestOnlyTheCulpritFails(t *testing.T) {
	t.Parallel()
	file := newFile(t)
	migrated(t, file, sqlite.Config{})
	f := &fault{}
	f.pages.Store(100)
	faulty(t, file, f)
	s := opened(t, file, sqlite.Config{})
	held := hold(t, file)
	outcomes := make(chan error, 20)
	for i := range cap(outcomes) {
		b := one(fmt.Sprintf("bank-%d", i))
		if i == 7 {
			b.Events[0] = event(`"` + strings.Repeat("x", 1<<20) + `"`)
		}
		go func() {
			_, err := s.Append(context.Background(), b)
			outcomes <- err
		}()
	}
	for s.Waiting() < cap(outcomes) {
		runtime.Gosched()
	}
	held.release()
	refused := 0
	for range cap(outcomes) {
		if err := <-outcomes; errors.Is(err, store.ErrUnavailable) {
			refused++
		} else if err != nil {
			t.Errorf("append beside one that does not fit: %v", err)
		}
	}
	if n := count(t, s); refused != 1 || n != cap(outcomes)-1 {
		t.Fatalf("%d appends were refused and %d events are stored, want 1 and %d", refused, n, cap(outcomes)-1)
	}
}

// A disk that hangs in COMMIT: who waits no longer is told that the outcome is
// unknown, and appending again resolves it.
func TestOutcomeIsUnknownWhileTheDiskHangs(t *testing.T) {
	t.Parallel()
	file := newFile(t)
	migrated(t, file, sqlite.Config{})
	begun, hang := make(chan struct{}), make(chan struct{})
	var once sync.Once
	faulty(t, file, &fault{commit: func() {
		once.Do(func() { close(begun); <-hang })
	}})
	s := opened(t, file, sqlite.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	outcome := make(chan error, 1)
	go func() {
		_, err := s.Append(ctx, one("bank-1"))
		outcome <- err
	}()
	<-begun
	cancel()
	err := <-outcome
	unknown, ok := errors.AsType[*store.UnknownOutcomeError](err)
	if !ok || !store.Retryable(err) || !errors.Is(err, context.Canceled) {
		t.Fatalf("append that hangs in COMMIT: %v, want an unknown outcome", err)
	}
	close(hang)
	a, err := s.Append(t.Context(), unknown.Batches...)
	if err != nil || !a[0].Duplicate || a[0].Version != 1 || count(t, s) != 1 {
		t.Fatalf("the same batches again: %+v, %v, want a duplicate", a, err)
	}
}

// A COMMIT that ends soon after its caller's context is told as what it was.
func TestOutcomeIsKnownAfterAShortHang(t *testing.T) {
	t.Parallel()
	file := newFile(t)
	migrated(t, file, sqlite.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	faulty(t, file, &fault{commit: cancel})
	s := opened(t, file, sqlite.Config{})
	a, err := s.Append(ctx, one("bank-1"))
	if err != nil || a[0].Version != 1 || a[0].Duplicate {
		t.Fatalf("append cancelled in COMMIT: %+v, %v, want success", a, err)
	}
}

// held is the write lock in the hands of another program.
type held struct {
	t    *testing.T
	exec func(string)
}

func hold(t *testing.T, file string) held {
	t.Helper()
	db := raw(t, file)
	h := held{t, func(statement string) { run(t, db, statement) }}
	h.exec("BEGIN IMMEDIATE")
	return h
}

func (h held) release() { h.exec("ROLLBACK") }

func TestHeldLockIsWaitedForUntilTheDeadline(t *testing.T) {
	t.Parallel()
	file := newFile(t)
	s := migrated(t, file, sqlite.Config{Timeout: 50 * time.Millisecond})
	lock := hold(t, file)
	for name, write := range map[string]func(context.Context) error{
		"append": func(ctx context.Context) error { _, err := s.Append(ctx, one("bank-1")); return err },
		"checkpoint": func(ctx context.Context) error {
			_, err := s.Subscriptions().Open(ctx, store.Subscription{Name: "a", Lanes: make([]store.Lane, 1)})
			return err
		},
		"snapshot": func(ctx context.Context) error { return s.DeleteSnapshot(ctx, "bank-1") },
	} {
		err := write(t.Context())
		// On a busy machine the time may be over before the lock is asked for.
		_, held := errors.AsType[*store.UnavailableError](err)
		_, late := errors.AsType[*store.TimeoutError](err)
		if !held && !late || !store.Retryable(err) || !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, store.ErrUnknownOutcome) {
			t.Errorf("%s while another program holds the lock: %v", name, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(5*time.Millisecond, cancel)
		if err := write(ctx); !errors.Is(err, context.Canceled) || errors.Is(err, store.ErrUnknownOutcome) {
			t.Errorf("%s cancelled while another program holds the lock: %v", name, err)
		}
	}
	// Reads do not wait.
	if n := count(t, s); n != 0 {
		t.Errorf("%d events are stored, want none", n)
	}
	lock.release()
	patient, cancel := context.WithTimeout(t.Context(), 30*time.Second) // the store's own is too short for a busy machine
	defer cancel()
	if _, err := s.Append(patient, one("bank-1")); err != nil {
		t.Fatal(err)
	}
	if n := count(t, s); n != 1 {
		t.Errorf("%d events are stored, want 1: what was called off must not be stored later", n)
	}
}

// Close waits for an append under way; who does not want to wait may try again.
func TestCloseWaitsForAppends(t *testing.T) {
	t.Parallel()
	file := newFile(t)
	migrated(t, file, sqlite.Config{})
	begun, hang := make(chan struct{}), make(chan struct{})
	var once sync.Once
	faulty(t, file, &fault{commit: func() {
		once.Do(func() { close(begun); <-hang })
	}})
	s := opened(t, file, sqlite.Config{})
	outcome := make(chan error, 1)
	go func() {
		_, err := s.Append(context.Background(), one("bank-1"))
		outcome <- err
	}()
	<-begun
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Close(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("close while an append is under way: %v, want the context's error", err)
	}
	if _, err := s.Append(t.Context(), one("bank-1")); !errors.Is(err, store.ErrClosed) {
		t.Errorf("append after Close began: %v", err)
	}
	close(hang)
	closeStore(t, s)
	if err := <-outcome; err != nil {
		t.Errorf("append that was under way: %v", err)
	}
	if n := count(t, opened(t, file, sqlite.Config{})); n != 1 {
		t.Errorf("%d events are stored, want 1", n)
	}
}
