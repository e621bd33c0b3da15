//go:build unix

package pgtest

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	bouncerVariable = "ESGEN_TEST_PGBOUNCER"
	bouncerPort     = 6432
)

// Bouncer is a PgBouncer of one test, before one server. Its methods are for one
// goroutine, except [Bouncer.Through].
type Bouncer struct {
	owned

	program string
	server  *pgx.ConnConfig
}

// StartBouncer starts PgBouncer in transaction mode before the server of url, for
// its user and all its databases. It ends with tb, or with the process. settings
// are further lines of its configuration, by name. It fails tb if there is no
// PgBouncer; ESGEN_TEST_PGBOUNCER=off skips tb.
func StartBouncer(tb testing.TB, url string, settings map[string]string) *Bouncer {
	tb.Helper()
	skipIfOff(tb)
	if strings.EqualFold(os.Getenv(bouncerVariable), "off") {
		tb.Skip(bouncerVariable + "=off")
	}
	b := &Bouncer{owned: owned{t: tb, what: "PgBouncer", end: Kill}}
	if err := b.prepare(url, settings); err != nil {
		tb.Fatalf("no PgBouncer for this test: %v; install PgBouncer; %s=off skips these tests", err, bouncerVariable)
	}
	tb.Cleanup(b.close)
	b.Restart()
	return b
}

func (b *Bouncer) prepare(url string, settings map[string]string) (err error) {
	if b.server, err = pgx.ParseConfig(url); err != nil {
		return err
	}
	if b.program, err = exec.LookPath("pgbouncer"); err != nil {
		// Where Debian puts it is on root's path only.
		if b.program, err = exec.LookPath("/usr/sbin/pgbouncer"); err != nil {
			return err
		}
	}
	nothing := func() error { return nil }
	return b.make("bouncer-", nothing, func() error {
		users := fmt.Sprintf("%q %q\n", b.server.User, b.server.Password)
		return errors.Join(b.write("users", users), b.write("ini", b.configuration(settings)))
	})
}

// write writes a file that only the pooler's account can read: it may hold a password.
func (b *Bouncer) write(name, text string) error {
	if err := os.WriteFile(b.d.file(name), []byte(text), 0o600); err != nil {
		return err
	}
	return b.d.owner.own(b.d.file(name))
}

func (b *Bouncer) configuration(settings map[string]string) string {
	all := map[string]string{
		"listen_addr": "", "listen_port": strconv.Itoa(bouncerPort), "unix_socket_dir": b.d.path,
		"auth_type": "trust", "auth_file": b.d.file("users"), "pool_mode": "transaction",
		"max_client_conn": "500", "default_pool_size": "20",
		// How long a server that was away is left alone, in seconds; 15 unless said.
		"server_login_retry": "1",
	}
	maps.Copy(all, settings)
	var text strings.Builder
	fmt.Fprintf(&text, "[databases]\n* = host='%s' port=%d\n[pgbouncer]\n", b.server.Host, b.server.Port)
	for _, name := range sortedKeys(all) {
		fmt.Fprintf(&text, "%s = %s\n", name, all[name])
	}
	return text.String()
}

// Stop stops PgBouncer and returns when it has ended: [Fast] once no transaction is
// open, else at once.
func (b *Bouncer) Stop(m Mode) {
	b.t.Helper()
	if m == Immediate {
		// It has no other name for that.
		m = Mode(syscall.SIGTERM)
	}
	b.owned.Stop(m)
}

// Restart starts PgBouncer, after stopping it at once if it runs.
func (b *Bouncer) Restart() {
	b.t.Helper()
	if b.cmd != nil {
		b.Stop(Immediate)
	}
	if err := b.start([]string{b.program, b.d.file("ini")}, b.URL()); err != nil {
		b.t.Fatalf("start PgBouncer: %v", err)
	}
}

// URL returns the connection string.
func (b *Bouncer) URL() string {
	return fmt.Sprintf("postgres://%s@/%s?sslmode=disable&default_query_exec_mode=exec&host=%s&port=%d",
		url.PathEscape(b.server.User), url.PathEscape(b.server.Database), url.QueryEscape(b.d.path), bouncerPort)
}

// Through makes a pool for the server connect by way of PgBouncer.
func (b *Bouncer) Through(c *pgxpool.Config) {
	c.ConnConfig.Host, c.ConnConfig.Port = b.d.path, bouncerPort
	c.ConnConfig.TLSConfig, c.ConnConfig.Fallbacks = nil, nil
}
