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
		"INSERT INTO %[1]s.lanes (subscription_id, lane, at, token, changed) SELECT id, 0, 0, 0, now() FROM s RETURNING subscription_id", l.schema)
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

// FollowTx is what a subscription that works in its transactions costs at the least:
// for every batch of size events BEGIN, one SELECT, an update per event, an UPDATE of
// the place and COMMIT. update takes the event's position, modulo 100.
func (l *Log) FollowTx(ctx context.Context, c *pgx.Conn, update string, events, size int) (handled int, _ error) {
	place := fmt.Sprintf("WITH s AS (INSERT INTO %[1]s.subscriptions (name, settings, created) VALUES (gen_random_uuid()::text, '', now()) RETURNING id) "+
		"INSERT INTO %[1]s.lanes (subscription_id, lane, at, token, changed) SELECT id, 0, 0, 0, now() FROM s RETURNING subscription_id", l.schema)
	var id int64
	if err := c.QueryRow(ctx, place).Scan(&id); err != nil {
		return 0, err
	}
	read := fmt.Sprintf("SELECT %s FROM %s.events WHERE position > $1 ORDER BY position LIMIT $2", columns, l.schema)
	move := fmt.Sprintf("UPDATE %s.lanes SET at = $2, changed = now() WHERE subscription_id = $1 AND lane = 0", l.schema)
	for handled < events {
		tx, err := c.Begin(ctx)
		if err != nil {
			return handled, err
		}
		rows, err := tx.Query(ctx, read, handled, size)
		if err != nil {
			return handled, err
		}
		n, touched := 0, 0
		for ; rows.Next(); n++ {
			touched += touch(rows.RawValues())
		}
		rows.Close()
		if err := rows.Err(); err != nil {
			return handled, err
		}
		if n == 0 {
			return handled, fmt.Errorf("%d events of %d are there", handled, events)
		}
		for i := range n {
			if _, err := tx.Exec(ctx, update, (handled+i+1)%100); err != nil {
				return handled, err
			}
		}
		if _, err := tx.Exec(ctx, move, id, handled+n); err != nil {
			return handled, err
		}
		if err := tx.Commit(ctx); err != nil {
			return handled, err
		}
		handled += n
	}
	return handled, nil
}
