package limit

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Follow is what a subscription to the stream that holds the last events costs at
// the least: a row for its place, one SELECT of the events, and a durable UPDATE of
// the place after every so many of them.
func (l *Log) Follow(ctx context.Context, c *pgx.Conn, name string, every int) (events int, _ error) {
	place := fmt.Sprintf("WITH s AS (INSERT INTO %[1]s.subscriptions (name, settings, created) VALUES ($1, '', now()) RETURNING id) "+
		"INSERT INTO %[1]s.lanes (subscription_id, lane, at, changed) SELECT id, 0, 0, now() FROM s RETURNING subscription_id", l.schema)
	var id int64
	if err := c.QueryRow(ctx, place, name).Scan(&id); err != nil {
		return 0, err
	}
	read := fmt.Sprintf("SELECT %s FROM %s.events WHERE stream_id = $1 ORDER BY version", columns, l.schema)
	rows, err := c.Query(ctx, read, l.stream.Load())
	if err != nil {
		return 0, err
	}
	touched := 0
	for ; rows.Next(); events++ {
		touched += touch(rows.RawValues())
	}
	rows.Close()
	if err := rows.Err(); err != nil {
		return events, err
	}
	move := fmt.Sprintf("UPDATE %s.lanes SET at = $2, changed = now() WHERE subscription_id = $1 AND lane = 0", l.schema)
	for at := every; at <= events; at += every {
		if _, err := c.Exec(ctx, move, id, at); err != nil {
			return events, err
		}
	}
	return events, nil
}

// touch looks at both ends of each value.
func touch(values [][]byte) (sum int) {
	for _, v := range values {
		if len(v) > 0 {
			sum += int(v[0]) + int(v[len(v)-1])
		}
	}
	return sum
}
