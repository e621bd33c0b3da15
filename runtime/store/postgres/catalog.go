package postgres

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/esgen/esgen/internal/printable"
	"github.com/esgen/esgen/runtime/store"
)

// StreamInfo describes stream, or returns a [*store.StreamNotFoundError].
func (o *operations) StreamInfo(ctx context.Context, stream string) (store.StreamInfo, error) {
	if err := store.CheckStream(stream); err != nil {
		return store.StreamInfo{}, err
	}
	info := store.StreamInfo{Stream: stream}
	err := o.call(ctx, "describe "+printable.Name(stream), func(ctx context.Context, conn *pgx.Conn) error {
		var created, deleted pgtype.Timestamptz
		err := conn.QueryRow(ctx, o.s.sql.streamInfo, stream).Scan((*int64)(&info.Version), (*int64)(&info.First), &created, &deleted)
		info.Created, info.Deleted = utc(created), utc(deleted)
		return err
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return store.StreamInfo{}, &store.StreamNotFoundError{Stream: stream}
	}
	if err != nil {
		return store.StreamInfo{}, err
	}
	return info, nil
}

// LastPosition returns the highest position that was ever given.
func (o *operations) LastPosition(ctx context.Context) (last store.Position, err error) {
	var at int64
	err = o.call(ctx, "find the last position", func(ctx context.Context, conn *pgx.Conn) error {
		return conn.QueryRow(ctx, o.s.sql.lastPosition+o.s.stage()).Scan(&at)
	})
	return store.Position(at), err
}

// utc is zero for NULL.
func utc(t pgtype.Timestamptz) (z time.Time) {
	if t.Valid {
		z = t.Time.UTC()
	}
	return z
}

// streamPage is how many streams are fetched at once.
const streamPage = 500

// streamKey is where a listing goes on: behind this stream.
type streamKey struct {
	id      int64
	version int64
	name    string
}

// Streams yields the streams that q selects, as [store.Catalog] describes, in pages
// of 500. By name and by creation a page is read from an index; by version all
// selected streams are sorted for each page.
func (o *operations) Streams(ctx context.Context, q store.StreamQuery) iter.Seq2[store.StreamInfo, error] {
	return func(yield func(store.StreamInfo, error) bool) {
		if err := q.Check(); err != nil {
			yield(store.StreamInfo{}, err)
			return
		}
		const op = "list streams"
		var after *streamKey
		if q.After != "" {
			var err error
			if after, err = o.streamKey(ctx, op, q.After); err != nil {
				yield(store.StreamInfo{}, err)
				return
			}
		}
		for n := 0; ; {
			rows := streamPage
			if q.Limit > 0 {
				rows = min(rows, q.Limit-n)
			}
			page, last, err := o.streams(ctx, op, q, after, rows)
			if err != nil {
				yield(store.StreamInfo{}, err)
				return
			}
			for _, info := range page {
				if !yield(info, nil) {
					return
				}
			}
			if n += len(page); len(page) < rows || n == q.Limit {
				return
			}
			after = &last
		}
	}
}

func (o *operations) streamKey(ctx context.Context, op, stream string) (*streamKey, error) {
	k := &streamKey{name: stream}
	err := o.call(ctx, op+" behind "+printable.Name(stream), func(ctx context.Context, conn *pgx.Conn) error {
		return conn.QueryRow(ctx, o.s.sql.streamKey, stream).Scan(&k.id, &k.version)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, &store.StreamNotFoundError{Stream: stream}
	}
	return k, err
}

// streams fetches one page.
func (o *operations) streams(ctx context.Context, op string, q store.StreamQuery, after *streamKey, rows int) (page []store.StreamInfo, last streamKey, _ error) {
	sql, args := o.streamsStatement(q, after, rows)
	err := o.call(ctx, op, func(ctx context.Context, conn *pgx.Conn) error {
		page = page[:0]
		found, err := conn.Query(ctx, sql, args...)
		if err != nil {
			return err
		}
		var info store.StreamInfo
		var id int64
		var created, deleted pgtype.Timestamptz
		_, err = pgx.ForEachRow(found, []any{&id, &info.Stream, (*int64)(&info.Version), (*int64)(&info.First), &created, &deleted}, func() error {
			info.Created, info.Deleted = utc(created), utc(deleted)
			page = append(page, info)
			last = streamKey{id, int64(info.Version), info.Stream}
			return nil
		})
		return err
	})
	return page, last, err
}

func (o *operations) streamsStatement(q store.StreamQuery, after *streamKey, rows int) (string, []any) {
	args := []any{int64(rows)}
	var filters []string
	where := func(condition string, values ...any) {
		for _, v := range values {
			args = append(args, v)
			condition = strings.Replace(condition, "?", fmt.Sprintf("$%d", len(args)), 1)
		}
		filters = append(filters, "AND "+condition)
	}
	direction, beyond := "", ">"
	if q.Descending {
		direction, beyond = " DESC", "<"
	}
	order := "s.name" + direction
	switch q.Order {
	case store.ByName:
		if after != nil {
			where("s.name "+beyond+" ?::text", after.name)
		}
	case store.ByCreation:
		order = "s.stream_id" + direction
		if after != nil {
			where("s.stream_id "+beyond+" ?::bigint", after.id)
		}
	case store.ByVersion:
		order = "s.version" + direction + ", s.name" + direction
		if after != nil {
			where("(s.version, s.name) "+beyond+" (?::bigint, ?::text)", after.version, after.name)
		}
	}
	if q.Prefix != "" {
		where("s.name >= ?::text AND starts_with(s.name, ?::text)", q.Prefix, q.Prefix)
		if end := behindPrefix(q.Prefix); end != "" {
			where("s.name < ?::text", end)
		}
	}
	if q.Contains != "" {
		where("strpos(s.name, ?::text) > 0", q.Contains)
	}
	if !q.Deleted {
		where("s.deleted_at IS NULL")
	}
	sql := strings.Replace(o.s.sql.streams, filterMark, strings.Join(filters, " "), 1)
	return strings.Replace(sql, "ORDER BY s.name LIMIT", "ORDER BY "+order+" LIMIT", 1), args
}

// behindPrefix returns the first text behind all that begin with prefix, "" if there
// is none. The bytes of UTF-8 are in the order of its characters.
func behindPrefix(prefix string) string {
	runes := []rune(prefix)
	for len(runes) > 0 {
		last := &runes[len(runes)-1]
		switch *last {
		case 0x10FFFF:
			runes = runes[:len(runes)-1]
			continue
		case 0xD7FF:
			*last = 0xE000 // between are no characters
		default:
			*last++
		}
		return string(runes)
	}
	return ""
}
