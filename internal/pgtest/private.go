//go:build unix

package pgtest

import (
	"maps"
	"strings"
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

	disk int64 // bytes of the data directory's file system, 0 for that of all
}

// Server is a PostgreSQL server of one test. Its methods are for one goroutine.
type Server struct {
	owned

	b        binaries
	settings map[string]string
}

// Start starts a server with a data directory of its own, which ends with tb, or
// with the process. It needs server binaries; a URL or Docker does not serve.
func Start(tb testing.TB, o Options) *Server {
	tb.Helper()
	skipIfOff(tb)
	s := &Server{owned: owned{t: tb, what: "server", end: Immediate}, settings: quick()}
	if o.Durable {
		delete(s.settings, "fsync")
		delete(s.settings, "full_page_writes")
	}
	maps.Copy(s.settings, o.Settings)
	if err := s.prepare(o.disk); err != nil {
		tb.Fatalf("no private PostgreSQL for this test: %v; install PostgreSQL; %s=off skips these tests", err, sourceVariable)
	}
	tb.Cleanup(s.close)
	s.Restart()
	return s
}

func (s *Server) prepare(disk int64) error {
	return s.make("private-", func() error {
		b, ok, err := installed()
		if err == nil && !ok {
			b, err = download()
		}
		if err != nil {
			return err
		}
		s.b = b
		return nil
	}, func() error {
		if disk > 0 {
			if err := s.d.mount(disk); err != nil {
				return err
			}
		}
		return s.d.initdb(s.b)
	})
}

// URL returns the connection string.
func (s *Server) URL() string { return s.d.url() }

// Pool returns a pool of at most [Connections] connections, closed when tb ends.
func (s *Server) Pool(tb testing.TB, configure ...func(*pgxpool.Config)) *pgxpool.Pool {
	tb.Helper()
	return open(tb, s.URL(), configure)
}

// Restart starts the server, after stopping it at once if it runs.
func (s *Server) Restart() {
	s.t.Helper()
	if s.cmd != nil {
		s.Stop(Immediate)
	}
	for begin := time.Now(); ; {
		err := s.start(s.d.command(s.b, s.settings), s.URL())
		if err == nil {
			return
		}
		// Processes of a killed postmaster may still hold its shared memory.
		if !strings.Contains(err.Error(), "shared memory block") || time.Since(begin) > startTimeout {
			s.t.Fatalf("start the server: %v", err)
		}
	}
}
