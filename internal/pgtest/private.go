//go:build unix

package pgtest

import (
	"errors"
	"maps"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Options are the settings of a private server. The zero value works.
type Options struct {
	// Durable writes to disk as a production server does. Defaults to a server
	// whose data survives the death of its processes, not of the machine.
	Durable bool
	// Settings are further parameters, by name. Defaults to none.
	Settings map[string]string
}

// Server is a PostgreSQL server of one test. Its methods are for one goroutine.
type Server struct {
	t        testing.TB
	b        binaries
	d        *directory
	settings map[string]string
	users    *os.File // open as long as this process wants the server
	owner    *os.File // locked as long as this process lives
	read     *os.File
	cmd      *exec.Cmd // the supervisor, nil while stopped
}

// Start starts a server with a data directory of its own, which ends with tb, or
// with the process. It needs server binaries; a URL or Docker does not serve.
func Start(tb testing.TB, o Options) *Server {
	tb.Helper()
	skipIfOff(tb)
	s := &Server{t: tb, settings: quick()}
	if o.Durable {
		delete(s.settings, "fsync")
		delete(s.settings, "full_page_writes")
	}
	maps.Copy(s.settings, o.Settings)
	if err := s.prepare(); err != nil {
		tb.Fatalf("no private PostgreSQL for this test: %v; install PostgreSQL; %s=off skips these tests", err, sourceVariable)
	}
	tb.Cleanup(s.close)
	s.Restart()
	return s
}

func (s *Server) prepare() error {
	base, owner, err := base()
	if err != nil {
		return err
	}
	unlock, err := lock(base)
	if err != nil {
		return err
	}
	defer unlock()
	sweep(base)
	b, ok, err := installed()
	if err == nil && !ok {
		b, err = download()
	}
	if err != nil {
		return err
	}
	s.b = b
	if s.d, err = newDirectory(base, owner, "private-"); err != nil {
		return err
	}
	s.owner, err = lockFile(s.d.file("owner"))
	if err == nil {
		s.read, s.users, err = os.Pipe()
	}
	if err == nil {
		err = s.d.initdb(b)
	}
	if err != nil {
		s.d.remove()
	}
	return err
}

func (s *Server) close() {
	if s.cmd != nil {
		s.Stop(Immediate)
	}
	_ = s.users.Close()
	_ = s.read.Close()
	_ = s.owner.Close()
	s.d.remove()
}

// URL returns the connection string.
func (s *Server) URL() string { return s.d.url() }

// Pool returns a pool of at most [Connections] connections, closed when tb ends.
func (s *Server) Pool(tb testing.TB, configure ...func(*pgxpool.Config)) *pgxpool.Pool {
	tb.Helper()
	return open(tb, s.URL(), configure)
}

// Mode is how a server is stopped.
type Mode syscall.Signal

const (
	// Fast rolls back open transactions, disconnects clients and writes a checkpoint.
	Fast = Mode(syscall.SIGINT)
	// Immediate stops without a checkpoint; the next start recovers.
	Immediate = Mode(syscall.SIGQUIT)
	// Kill takes the postmaster away with SIGKILL; its processes notice and end.
	Kill = Mode(syscall.SIGKILL)
)

// Stop stops the server and returns when the postmaster has ended; after [Kill],
// processes of its connections may live on for a moment.
func (s *Server) Stop(m Mode) {
	s.t.Helper()
	if err := syscall.Kill(s.pid(), syscall.Signal(m)); err != nil && !errors.Is(err, syscall.ESRCH) {
		s.t.Fatalf("stop the server: %v", err)
	}
	_ = s.cmd.Wait()
	s.cmd = nil
}

// Restart starts the server, after stopping it at once if it runs.
func (s *Server) Restart() {
	s.t.Helper()
	if s.cmd != nil {
		s.Stop(Immediate)
	}
	for begin := time.Now(); ; {
		cmd, err := s.d.start(s.read, 0, s.d.command(s.b, s.settings))
		if err != nil {
			s.t.Fatalf("start the server: %v", err)
		}
		s.cmd = cmd
		_, err = s.d.await(func() (string, error) { return s.URL(), nil })
		if err == nil {
			return
		}
		_ = s.cmd.Wait()
		s.cmd = nil
		// Processes of a killed postmaster may still hold its shared memory.
		if !strings.Contains(err.Error(), "shared memory block") || time.Since(begin) > startTimeout {
			s.t.Fatalf("start the server: %v", err)
		}
	}
}

func (s *Server) pid() int {
	s.t.Helper()
	text, err := os.ReadFile(s.d.file("pid"))
	if err != nil {
		s.t.Fatalf("the server has no process id: %v", err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		s.t.Fatalf("the server's process id: %v", err)
	}
	return pid
}
