//go:build unix

// Package server starts a PostgreSQL server for measurements: its settings are the
// defaults, all durable, but for more memory and room for the log of changes.
package server

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// Settings differ from PostgreSQL's defaults. None makes a commit less durable.
var Settings = []string{"shared_buffers=1GB", "max_wal_size=8GB", "max_connections=500", "timezone=UTC"}

// Server is a running server. It ends with [Server.Stop], or with this process.
type Server struct {
	dir    string
	locked *os.File // as long as this process wants the server
	cmd    *exec.Cmd
	ended  chan struct{}
	end    error // once ended is closed
}

// Start makes a data directory below the temporary one and starts a server on a
// unix socket there.
func Start(ctx context.Context) (_ *Server, err error) {
	bin, err := binaries(ctx)
	if err != nil {
		return nil, err
	}
	owner, err := serverAccount()
	if err != nil {
		return nil, err
	}
	sweep()
	dir, err := os.MkdirTemp("", prefix)
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, ended: make(chan struct{})}
	defer func() {
		if err != nil {
			s.Stop()
		}
	}()
	if s.locked, err = lock(dir); err != nil {
		return nil, err
	}
	if err := owner.own(dir); err != nil {
		return nil, err
	}
	initdb := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "--pgdata="+filepath.Join(dir, "data"),
		"--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C")
	initdb.SysProcAttr, initdb.Dir = owner.attributes(), "/"
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	if err := s.start(ctx, owner, filepath.Join(bin, "postgres")); err != nil {
		return nil, err
	}
	return s, s.await(ctx)
}

func (s *Server) start(ctx context.Context, owner account, program string) error {
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	args := []string{"-D", filepath.Join(s.dir, "data"), "-k", s.dir, "-h", ""}
	for _, setting := range Settings {
		args = append(args, "-c", setting)
	}
	// The context of a run must not kill the server: Stop ends it in good order.
	s.cmd = exec.CommandContext(context.WithoutCancel(ctx), program, args...)
	s.cmd.Stdout, s.cmd.Stderr, s.cmd.Dir = log, log, "/"
	s.cmd.SysProcAttr = owner.attributes()
	started := make(chan error)
	go func() {
		defer func() { _ = log.Close() }()
		// The server is to end with this process, also if that is killed; the kernel
		// watches the thread that started it.
		runtime.LockOSThread()
		err := s.cmd.Start()
		started <- err
		if err == nil {
			s.end = s.cmd.Wait()
			close(s.ended)
		}
	}()
	if err := <-started; err != nil {
		s.cmd = nil
		return fmt.Errorf("start the server: %w", err)
	}
	return nil
}

func (s *Server) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		c, err := pgx.Connect(ctx, s.DSN())
		if err == nil {
			return c.Close(ctx)
		}
		select {
		case <-s.ended:
			return fmt.Errorf("the server ended (%w); its log: %s", s.end, s.log())
		case <-ctx.Done():
			return fmt.Errorf("the server does not answer: %w; its log: %s", err, s.log())
		case <-tick.C:
		}
	}
}

func (s *Server) log() string {
	text, _ := os.ReadFile(filepath.Join(s.dir, "log"))
	return strings.TrimSpace(string(text))
}

// DSN is the connection string.
func (s *Server) DSN() string {
	return "postgres://postgres@/postgres?sslmode=disable&host=" + url.QueryEscape(s.dir)
}

// Stop ends the server and removes its data.
func (s *Server) Stop() {
	if s.cmd != nil {
		_ = s.cmd.Process.Signal(syscall.SIGINT)
		<-s.ended
	}
	_ = os.RemoveAll(s.dir)
	_ = s.locked.Close()
}

// binaries is the directory of initdb and postgres.
func binaries(ctx context.Context) (string, error) {
	if dir := os.Getenv("ESGEN_TEST_POSTGRES_BIN"); dir != "" {
		return dir, nil
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			return filepath.Dir(path), nil
		}
	}
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin/initdb", "/usr/pgsql-*/bin/initdb", "/opt/homebrew/opt/postgresql@*/bin/initdb"} {
		if found, _ := filepath.Glob(pattern); len(found) > 0 {
			return filepath.Dir(found[len(found)-1]), nil
		}
	}
	return "", errors.Join(ctx.Err(), errors.New("no PostgreSQL on this machine: install it, name its programs in ESGEN_TEST_POSTGRES_BIN, or give a server with -dsn"))
}
