package sqlite_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/sqlite"
)

// A child is this test binary, started again to do one thing with one file.
const (
	childEnv     = "ESGEN_SQLITE_TEST_CHILD"
	childFileEnv = "ESGEN_SQLITE_TEST_FILE"
)

func runChild(role string) int {
	roles := map[string]func(*sqlite.Store) error{
		"append": appendMany, "forever": appendForever, "migrate": migrateOnly,
		"readonly": useReadOnly, "limited": useLimited, "history": makeHistory,
	}
	if role == "killed" {
		if err := handleAndDie(os.Getenv(childFileEnv)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return 0
	}
	s, err := sqlite.Open(os.Getenv(childFileEnv), sqlite.Config{HardDeletes: role == "history"})
	if err == nil {
		err = roles[role](s)
	}
	if err == nil {
		err = s.Close(context.Background())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func child(t *testing.T, role, file string) *exec.Cmd {
	t.Helper()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(binary)
	c.Env = append(os.Environ(), childEnv+"="+role, childFileEnv+"="+file)
	c.Stderr = os.Stderr
	return c
}

const perChild = 300

// appendMany appends to a stream of its own and to one that all share.
func appendMany(s *sqlite.Store) error {
	for i := range perChild {
		own, shared := one(fmt.Sprintf("own-%d", os.Getpid())), one("shared-1")
		own.Expected = store.Version(i)
		if _, err := s.Append(context.Background(), own, shared); err != nil {
			return err
		}
	}
	return nil
}

func TestTwoProcessesAppendAtOnce(t *testing.T) {
	t.Parallel()
	file := newFile(t)
	s := migrated(t, file, sqlite.Config{})
	const processes = 2
	children := make([]*exec.Cmd, 0, processes)
	for range processes {
		c := child(t, "append", file)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		children = append(children, c)
	}
	for _, c := range children {
		if err := c.Wait(); err != nil {
			t.Errorf("child: %v", err)
		}
	}
	if n := count(t, s); n != 2*processes*perChild {
		t.Errorf("%d events are stored, want %d", n, 2*processes*perChild)
	}
	for _, c := range children {
		info, err := s.StreamInfo(t.Context(), fmt.Sprintf("own-%d", c.Process.Pid))
		if err != nil || info.Version != perChild {
			t.Errorf("%+v, %v, want version %d", info, err, perChild)
		}
	}
	shared, err := collect(t.Context(), s, store.Query{Stream: "shared-1"})
	if err != nil || len(shared) != processes*perChild || shared[len(shared)-1].Version != processes*perChild {
		t.Errorf("%d events of the shared stream, %v", len(shared), err)
	}
}

// appendForever prints each version after it was acknowledged.
func appendForever(s *sqlite.Store) error {
	for {
		a, err := s.Append(context.Background(), one("bank-1"))
		if err != nil {
			return err
		}
		fmt.Println(int64(a[0].Version))
	}
}

func TestAcknowledgedAppendsSurviveAKilledProcess(t *testing.T) {
	t.Parallel()
	file := newFile(t)
	closeStore(t, migrated(t, file, sqlite.Config{}))
	acknowledged := 0
	for round := range 3 {
		c := child(t, "forever", file)
		out, err := c.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			if acknowledged, err = strconv.Atoi(lines.Text()); err != nil {
				t.Fatal(err)
			}
			if n == 50+37*round {
				if err := c.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		_ = c.Wait() // killed
		s := opened(t, file, sqlite.Config{})
		stored := count(t, s)
		// One append may have been committed and not yet acknowledged.
		if stored < acknowledged || stored > acknowledged+1 {
			t.Fatalf("round %d: %d events are stored, %d were acknowledged", round, stored, acknowledged)
		}
		if _, err := s.Append(t.Context(), one("bank-1")); err != nil {
			t.Fatal(err)
		}
		closeStore(t, s)
	}
	var check string
	if err := raw(t, file).QueryRow("PRAGMA integrity_check").Scan(&check); err != nil || check != "ok" {
		t.Errorf("integrity: %s, %v", check, err)
	}
}

func migrateOnly(s *sqlite.Store) error { return s.Migrate(context.Background()) }

func TestProcessesMigrateAtOnce(t *testing.T) {
	t.Parallel()
	file := newFile(t)
	children := make([]*exec.Cmd, 0, 3)
	for range 3 {
		c := child(t, "migrate", file)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		children = append(children, c)
	}
	for _, c := range children {
		if err := c.Wait(); err != nil {
			t.Errorf("child: %v", err)
		}
	}
	if _, err := opened(t, file, sqlite.Config{}).Append(t.Context(), one("bank-1")); err != nil {
		t.Error(err)
	}
}

// useReadOnly tries to write a file that this user may only read.
func useReadOnly(s *sqlite.Store) error {
	_, err := s.Append(context.Background(), one("bank-1"))
	if wrong, ok := errors.AsType[*sqlite.FileError](err); !ok || wrong.File != s.File() || store.Retryable(err) {
		return fmt.Errorf("append to a file that cannot be written: %w, want a FileError", err)
	}
	err = s.Migrate(context.Background())
	if _, ok := errors.AsType[*sqlite.FileError](err); !ok {
		return fmt.Errorf("migrate a file that cannot be written: %w, want a FileError", err)
	}
	return nil
}

func TestFileThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "store.db")
	closeStore(t, migrated(t, file, sqlite.Config{}))
	c := child(t, "readonly", file)
	if os.Geteuid() == 0 {
		// Modes do not bind root, so the child is nobody, who must reach the binary.
		c.Path = filepath.Join(dir, "child")
		copyFile(t, c.Args[0], c.Path)
		openPath(t, dir)
		asNobody(c)
	}
	for path, mode := range map[string]os.FileMode{file: 0o444, dir: 0o555} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	defer os.Chmod(dir, 0o755)
	if err := c.Run(); err != nil {
		t.Errorf("child: %v", err)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}

// openPath lets everybody pass the test's directories on the way to dir.
func openPath(t *testing.T, dir string) {
	t.Helper()
	for ; strings.HasPrefix(filepath.Base(dir), "0") || strings.HasPrefix(filepath.Base(dir), "Test"); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

// useLimited appends when the operating system refuses to write, in COMMIT: what
// was written by then is not known.
func useLimited(s *sqlite.Store) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if _, err := s.Append(ctx, one("bank-1")); err != nil {
		return err
	}
	restore, err := refuseWrites()
	if err != nil {
		return err
	}
	_, err = s.Append(ctx, one("bank-1"))
	unknown, ok := errors.AsType[*store.UnknownOutcomeError](err)
	if !ok {
		return fmt.Errorf("append while writes are refused: %w, want an unknown outcome", err)
	}
	if err := restore(); err != nil {
		return err
	}
	a, err := s.Append(ctx, unknown.Batches...)
	if err != nil || a[0].Version != 2 {
		return fmt.Errorf("the same batches again: %+v, %w, want version 2", a, err)
	}
	return nil
}

func TestWritesRefusedInCommit(t *testing.T) {
	t.Parallel()
	file := newFile(t)
	closeStore(t, migrated(t, file, sqlite.Config{}))
	if err := child(t, "limited", file).Run(); err != nil {
		t.Errorf("child: %v", err)
	}
	if n := count(t, opened(t, file, sqlite.Config{})); n != 2 {
		t.Errorf("%d events are stored, want 2", n)
	}
}
