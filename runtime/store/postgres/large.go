package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

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
