package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// nameStreams tells the page's events their streams. Names are asked for once per
// read: looking each up in the statement that reads events costs as much as the
// events do. A name belongs to its id for ever.
func (r *reading) nameStreams(ctx context.Context, conn *pgx.Conn) error {
	p := r.page
	if r.q.Stream != "" && !r.linked {
		for i := range p.events {
			p.events[i].Stream, p.events[i].OriginalStream = r.q.Stream, r.q.Stream
		}
		return nil
	}
	if r.names == nil || len(r.names) > maxNames {
		r.names = make(map[int64]string)
	}
	var unknown []int64
	for _, id := range p.streams {
		if _, ok := r.names[id]; !ok {
			r.names[id] = ""
			unknown = append(unknown, id)
		}
	}
	if len(unknown) > 0 {
		rows, err := conn.Query(ctx, r.s.sql.readNames+r.s.stage(), unknown)
		if err != nil {
			r.names = nil
			return err
		}
		var id int64
		var name string
		if _, err = pgx.ForEachRow(rows, []any{&id, &name}, func() error {
			r.names[id] = name
			return nil
		}); err != nil {
			r.names = nil
			return err
		}
	}
	for i, id := range p.streams {
		name := r.names[id]
		if name == "" {
			delete(r.names, id)
			return errRemoved
		}
		e := &p.events[i]
		e.OriginalStream = name
		if e.Stream = name; r.q.Stream != "" {
			e.Stream = r.q.Stream
		}
	}
	return nil
}

// maxNames bounds the names that a read remembers.
const maxNames = 64 << 10
