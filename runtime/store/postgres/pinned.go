package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// pins leave the planner nothing but indexes, in their order. A filter by category
// looks a stream up for each event: planned as a scan, because there were few
// streams then, it would read all of them for each. Without jit off, compiling such
// plans would cost more than running them.
const pins = `SELECT set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true),
	set_config('enable_sort', 'off', true), set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true),
	set_config('plan_cache_mode', 'force_generic_plan', true), set_config('jit', 'off', true)`

// queryPinned runs a query under pins in one round trip, and hands its rows to scan.
// If last is not nil, it is told the last position first, as of an earlier snapshot.
// The settings end with a transaction of its own, or in the caller's with a savepoint.
func (o *operations) queryPinned(ctx context.Context, conn *pgx.Conn, sql string, args []any, last *pgtype.Int8, scan func(pgx.Rows) error) error {
	begin, end := "BEGIN READ ONLY", []string{"COMMIT"}
	if o.tx != nil {
		begin, end = "SAVEPOINT esgen_read", []string{"ROLLBACK TO SAVEPOINT esgen_read", "RELEASE SAVEPOINT esgen_read"}
	}
	var b pgx.Batch
	b.Queue(begin)
	b.Queue(pins)
	if last != nil {
		b.Queue(o.s.sql.readLast + o.s.stage())
	}
	b.Queue(sql, args...)
	for _, text := range end {
		b.Queue(text)
	}
	results := conn.SendBatch(ctx, &b)
	_, err := results.Exec()
	if err == nil {
		_, err = results.Exec()
	}
	if err == nil && last != nil {
		err = results.QueryRow().Scan(last)
	}
	if err == nil {
		var rows pgx.Rows
		if rows, err = results.Query(); err == nil {
			err = scan(rows)
			rows.Close()
		}
	}
	if closed := results.Close(); err == nil {
		err = closed
	}
	if err != nil && o.tx == nil && !conn.IsClosed() && conn.PgConn().TxStatus() != 'I' {
		// If this fails too, the pool closes the connection.
		_, _ = conn.Exec(ctx, "ROLLBACK")
	}
	return err
}
