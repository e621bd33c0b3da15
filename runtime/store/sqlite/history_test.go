package sqlite_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/sqlite"
	"github.com/esgen/esgen/runtime/store/storetest/history"
)

func logsOf(file string) string { return filepath.Dir(file) }

// makeHistory appends and reads as package history does, until standard input ends.
func makeHistory(s *sqlite.Store) error {
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	pid := os.Getpid()
	return history.Run(ctx, history.Config{
		Delete: func(ctx context.Context, stream string) error { return s.Delete(ctx, stream, store.Any, store.Hard) },
		Store:  s, Dir: logsOf(s.File()), Name: fmt.Sprintf("p%d", pid), Seed: uint64(pid), Timeout: 5 * time.Second, Pause: 5 * time.Millisecond,
	})
}

// newest is the position of the last event.
func newest(t *testing.T, s *sqlite.Store) store.Position {
	t.Helper()
	for r, err := range s.Read(t.Context(), store.Query{Backward: true, Limit: 1}) {
		if err != nil {
			t.Fatal(err)
		}
		return r.Position
	}
	return 0
}

// TestHistoryOfProcessesThatAreKilled lets processes work on one file, kills some,
// and holds what they were told against what is stored.
func TestHistoryOfProcessesThatAreKilled(t *testing.T) {
	t.Parallel()
	file := newFile(t)
	s := migrated(t, file, sqlite.Config{})
	n := rand.Uint64()
	t.Logf("seed %d", n)
	random := rand.New(rand.NewPCG(n, 0))
	type process struct {
		*exec.Cmd
		in io.Closer
	}
	start := func() process {
		c := child(t, "history", file)
		in, err := c.StdinPipe()
		if err == nil {
			err = c.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		return process{c, in}
	}
	stays := start()
	// On a busy machine four rounds do too little to show anything.
	for round := 0; round < 4 || round < 60 && newest(t, s) < 1500; round++ {
		killed := start()
		<-time.After(300*time.Millisecond + time.Duration(random.IntN(400))*time.Millisecond)
		_ = killed.Process.Kill()
		_ = killed.in.Close()
		if err := killed.Wait(); killed.ProcessState.Exited() {
			t.Errorf("a process ended by itself: %v", err)
		}
	}
	_ = stays.in.Close()
	if err := stays.Wait(); err != nil {
		t.Errorf("the process that was asked to end: %v", err)
	}
	if err := history.Finish(t.Context(), logsOf(file), s); err != nil {
		t.Fatal(err)
	}
	r, err := history.Check(logsOf(file), history.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(r)
	if err := r.Err(); err != nil {
		t.Error(err)
	}
	if r.Stored < 20 || r.Why["conflict"] == 0 || r.Seen < r.Events {
		t.Errorf("the workload was too tame to show anything: %s", r)
	}
}
