package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/esgen/esgen/runtime/store"
)

// page fetches the events at c and moves c behind them. No page of an existing
// stream or store is an error, also if it is empty.
func (s *Store) page(ctx context.Context, op string, q store.Query, c *cursor, remaining int) ([]store.Recorded, error) {
	rows := c.rows
	if remaining > 0 {
		rows = min(rows, remaining)
	}
	sql, args := s.sql.readAll, []any{c.from, c.width, int64(rows), int64(maxPageBytes), nonEmpty(q.Categories), nonEmpty(q.Types), c.backward}
	if q.Stream != "" {
		sql, args = s.sql.readStream, []any{q.Stream, c.from, c.width, int64(rows), int64(maxPageBytes), nonEmpty(q.Types), c.backward}
	}
	var page []store.Recorded
	var f fetched
	err := s.call(ctx, op, func(ctx context.Context, conn *pgx.Conn) (err error) {
		page, f, err = fetch(ctx, conn, sql, args)
		return err
	})
	if err != nil {
		return nil, err
	}
	if q.Stream != "" && f.last == 0 {
		return nil, &store.StreamNotFoundError{Stream: q.Stream}
	}
	f.full = f.full || f.count == rows
	f.at = int64(0)
	if f.count > 0 {
		end := page[f.count-1]
		if f.at = int64(end.Position); q.Stream != "" {
			f.at = int64(end.Version)
		}
	}
	c.advance(f)
	return page, nil
}

// nonEmpty is nil, which is no filter, for a filter of nothing.
func nonEmpty(names []string) []string {
	if len(names) == 0 {
		return nil
	}
	return names
}

// fetch reads a page of at most maxPageBytes, and an event. What a page has more
// is left to the next: the database sends it only of JSON that it had compressed.
func fetch(ctx context.Context, conn *pgx.Conn, sql string, args []any) (page []store.Recorded, f fetched, _ error) {
	rows, err := conn.Query(ctx, sql, args...)
	if err != nil {
		return nil, f, err
	}
	defer rows.Close()
	row := newRow()
	size := 0
	for rows.Next() {
		if err := rows.Scan(row.targets...); err != nil {
			return nil, f, err
		}
		f.last = row.last
		if !row.version.Valid {
			continue // nothing was found
		}
		r := row.recorded()
		page = append(page, r)
		if size += len(r.Data) + len(r.Metadata); size > maxPageBytes || row.bytes.Int64 > maxPageBytes {
			f.full = true
			break
		}
	}
	rows.Close()
	f.count = len(page)
	return page, f, rows.Err()
}

// row is where the columns of read_stream.sql and read_all.sql are scanned to.
type row struct {
	last, // of the stream or the store
	revision int64
	position, version          pgtype.Int8
	stream, kind, format       name
	id, correlation, causation pgtype.UUID
	data, json, metadata       []byte
	time                       pgtype.Timestamptz
	bytes                      pgtype.Int8 // of the page up to here, as the database counts
	targets                    []any
}

func newRow() *row {
	names := make(map[string]string)
	r := &row{}
	r.stream.known, r.kind.known, r.format.known = names, names, names
	r.targets = []any{
		&r.last, &r.position, &r.stream, &r.version, &r.id, &r.kind, (*revision)(&r.revision),
		&r.correlation, &r.causation, &r.format, &r.data, &r.json, &r.metadata, &r.time, &r.bytes,
	}
	return r
}

func (r *row) recorded() store.Recorded {
	e := store.Recorded{
		Position: store.Position(r.position.Int64),
		Stream:   r.stream.text, Version: store.Version(r.version.Int64),
		OriginalStream: r.stream.text, OriginalVersion: store.Version(r.version.Int64),
		ID: r.id.Bytes, Type: r.kind.text, Revision: int(r.revision),
		Correlation: r.correlation.Bytes, Causation: r.causation.Bytes,
		Format: store.Format(r.format.text), Data: r.data,
		Time: r.time.Time.UTC(),
	}
	if r.json != nil {
		e.Data = r.json
	}
	if r.metadata != nil {
		e.Metadata = r.metadata
	}
	return e
}

// name is a text that stands in many rows: it is copied once per page.
type name struct {
	known map[string]string
	text  string
}

// ScanBytes takes the text; src is only lent.
func (n *name) ScanBytes(src []byte) error {
	text, ok := n.known[string(src)]
	if !ok {
		text = string(src)
		n.known[text] = text
	}
	n.text = text
	return nil
}

// revision is NULL in the row that says that nothing was found.
type revision int64

// ScanInt64 takes the number.
func (r *revision) ScanInt64(v pgtype.Int8) error {
	*r = revision(v.Int64)
	return nil
}
