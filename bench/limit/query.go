package limit

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
)

// Query is a statement with its arguments.
type Query struct {
	SQL  string
	Args []any
}

// Select makes the queries of one of reads per call, in order, one after the other
// round the list, and touches each value that comes, unscanned. Rows of which the
// column version is NULL, which say that a page is empty, are no events.
func Select(c *pgx.Conn, reads [][]Query, begin int) Op {
	next, touched := begin, 0
	return func(ctx context.Context) (int, error) {
		if len(reads) == 0 {
			return 0, errors.New("no reads to repeat")
		}
		events := 0
		for _, q := range reads[next%len(reads)] {
			rows, err := c.Query(ctx, q.SQL, q.Args...)
			if err != nil {
				return events, err
			}
			version := -1
			for i, f := range rows.FieldDescriptions() {
				if f.Name == "version" {
					version = i
				}
			}
			for rows.Next() {
				values := rows.RawValues()
				touched += touch(values)
				if version < 0 || values[version] != nil {
					events++
				}
			}
			rows.Close()
			if err := rows.Err(); err != nil {
				return events, err
			}
		}
		next++
		return events, nil
	}
}
