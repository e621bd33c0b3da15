package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
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

// errRemoved tells that an event was removed while it was being read.
var errRemoved = errors.New("an event was removed while it was being read")

// fetchLarge gets the payloads that the page's statement has left out. Those behind
// its end are left to the next page.
func (r *reading) fetchLarge(ctx context.Context, conn *pgx.Conn) error {
	p := r.page
	if len(p.large) == 0 {
		return nil
	}
	type key struct{ stream, version int64 }
	places := make(map[key]int, len(p.large))
	var streams, versions []int64
	for _, l := range p.large {
		k := key{p.streams[l.at], int64(p.events[l.at].OriginalVersion)}
		places[k] = l.at
		streams, versions = append(streams, k.stream), append(versions, k.version)
	}
	rows, err := conn.Query(ctx, r.s.sql.readLarge+r.s.stage(), streams, versions)
	if err != nil {
		return err
	}
	var k key
	var data, json, metadata pgtype.DriverBytes
	_, err = pgx.ForEachRow(rows, []any{&k.stream, &k.version, &data, &json, &metadata}, func() error {
		at, ok := places[k]
		if !ok {
			return nil
		}
		delete(places, k)
		e := &p.events[at]
		if e.Data = p.slab.keep(data); json != nil {
			e.Data = p.slab.keep(json)
		}
		if e.Metadata = nil; metadata != nil {
			e.Metadata = p.slab.keep(metadata)
		}
		return nil
	})
	if err == nil && len(places) > 0 {
		err = errRemoved
	}
	return err
}
