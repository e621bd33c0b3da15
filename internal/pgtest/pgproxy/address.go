package pgproxy

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

const dialTimeout = 10 * time.Second

// address is where something listens: host is host:port, or the socket's path.
type address struct{ network, host string }

func (a address) dial() (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), dialTimeout)
	defer cancel()
	return new(net.Dialer).DialContext(ctx, a.network, a.host)
}

func (a address) open() (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(context.Background(), a.network, a.host)
	if err == nil && a.network == "unix" {
		// Also for processes of other users, as a server of a test is.
		err = os.Chmod(a.host, 0o777)
	}
	return l, err
}

// socket is a new one in a directory of its own.
func socket() (a address, dir string, err error) {
	// The path has at most 103 bytes on some systems; TMPDIR may be long there.
	if dir, err = os.MkdirTemp("/tmp", "pgproxy"); err != nil {
		return a, "", err
	}
	return address{"unix", filepath.Join(dir, ".s.PGSQL.5432")}, dir, os.Chmod(dir, 0o755)
}

func upstreamOf(dsn string) (address, error) {
	c, err := pgconn.ParseConfig(dsn)
	if err != nil {
		return address{}, fmt.Errorf("find the server to stand before: %w", err)
	}
	network, host := pgconn.NetworkAddress(c.Host, c.Port)
	return address{network, host}, nil
}

// rewrite returns dsn with a as the server.
func rewrite(dsn string, a address) (string, error) {
	host, port := filepath.Dir(a.host), "5432"
	if a.network == "tcp" {
		var err error
		if host, port, err = net.SplitHostPort(a.host); err != nil {
			return "", err
		}
	}
	if !strings.HasPrefix(dsn, "postgres://") && !strings.HasPrefix(dsn, "postgresql://") {
		// Of a word given twice, the last one holds.
		return fmt.Sprintf("%s host=%s port=%s sslmode=disable", dsn, host, port), nil
	}
	u, err := url.Parse(dsn)
	if err != nil {
		return "", err
	}
	q := u.Query()
	q.Set("host", host)
	q.Set("port", port)
	q.Set("sslmode", "disable")
	u.Host, u.RawQuery = "", q.Encode()
	return u.String(), nil
}
