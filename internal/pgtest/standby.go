//go:build unix

package pgtest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Standby starts a server that follows s and can only be read, as [Start] does. It
// restarts s: the copy is made of a server that was stopped, since not every
// installation can make one of a server that runs.
func (s *Server) Standby(tb testing.TB) *Server {
	tb.Helper()
	y := &Server{owned: owned{t: tb, what: "standby", end: Immediate}, b: s.b, settings: s.settings}
	s.Stop(Fast)
	err := y.make("private-", func() error { return nil }, func() error { return y.follow(s) })
	s.Restart()
	if err != nil {
		tb.Fatalf("no standby for this test: %v", err)
	}
	tb.Cleanup(y.close)
	y.Restart()
	y.AwaitReplay(s)
	return y
}

// follow copies the data of s, which is stopped.
func (s *Server) follow(primary *Server) error {
	cmd := exec.CommandContext(context.Background(), "cp", "-R", "-p", primary.d.file("data"), s.d.path)
	cmd.SysProcAttr, cmd.Dir = s.d.owner.attributes(), "/"
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("copy the data: %w: %s", err, out)
	}
	for name, text := range map[string]string{
		"data/standby.signal":       "",
		"data/postgresql.auto.conf": fmt.Sprintf("primary_conninfo = 'host=%s user=postgres'\n", primary.d.path),
	} {
		if err := os.WriteFile(s.d.file(name), []byte(text), 0o600); err != nil {
			return err
		}
		if err := s.d.owner.own(s.d.file(name)); err != nil {
			return err
		}
	}
	return nil
}

// AwaitReplay returns when s, a standby of primary, has all that primary has by now.
func (s *Server) AwaitReplay(primary *Server) {
	s.t.Helper()
	var at string
	err := onServer(primary.URL(), func(ctx context.Context, c *pgx.Conn) error {
		return c.QueryRow(ctx, "SELECT pg_current_wal_lsn()::text").Scan(&at)
	})
	if err == nil {
		err = onServer(s.URL(), func(ctx context.Context, c *pgx.Conn) error {
			tick := time.NewTicker(10 * time.Millisecond)
			defer tick.Stop()
			for {
				var there bool
				if err := c.QueryRow(ctx, "SELECT pg_is_in_recovery() AND pg_last_wal_replay_lsn() >= $1::text::pg_lsn", at).Scan(&there); err != nil || there {
					return err
				}
				select {
				case <-tick.C:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
		})
	}
	if err != nil {
		s.t.Fatalf("wait for the standby to come as far as %s: %v; its log: %s", at, err, s.d.log())
	}
}
