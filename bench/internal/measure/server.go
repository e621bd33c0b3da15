package measure

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// Server is what a PostgreSQL server has done so far.
type Server struct {
	// WAL is the end of the log that it has written, in bytes.
	WAL int64
	// Transactions that wrote, each of them with a number of its own. The counters
	// of pg_stat_database would tell up to ten seconds late.
	Transactions int64
}

// Counters asks the server.
func Counters(ctx context.Context, c *pgx.Conn) (Server, error) {
	var s Server
	err := c.QueryRow(ctx, `SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint, pg_snapshot_xmax(pg_current_snapshot())::text::bigint`).
		Scan(&s.WAL, &s.Transactions)
	return s, err
}

// Sub returns what was done since old.
func (s Server) Sub(old Server) Server {
	return Server{s.WAL - old.WAL, s.Transactions - old.Transactions}
}
