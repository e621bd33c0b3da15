package postgres

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// selection is the statement of a read: the one of its kind with the filters of its
// query put in.
type selection struct {
	sql string
	// linked is the same for a stream that has links.
	linked string
	// keys are the values that are looked up in an index, if one is used.
	keys []string
	args []any
}

const filterMark = "/* filter */"

// choose decides how to read. A filtered read of all streams asks the database
// first which indexes there are, and where in the order the times are.
func (r *reading) choose(ctx context.Context) error {
	q := &r.q
	sql := &r.s.sql
	forward, backward := sql.readAll, sql.readAllBackward
	first := 4 // the statement's own arguments, and one
	if q.Stream != "" {
		forward, backward = sql.readStream, sql.readStreamBackward
		first = 5
	}
	r.filtered = len(q.Types) > 0 || len(q.Categories) > 0 || len(q.Metadata) > 0 || !q.Since.IsZero() || !q.Until.IsZero()
	if !r.filtered {
		r.where.sql, r.where.linked = forward, sql.readLinks
		if q.Backward {
			r.where.sql, r.where.linked = backward, sql.readLinksBackward
		}
		return nil
	}
	r.width = firstWidth
	index := ""
	if q.Stream == "" && !q.Backward && len(q.Types)+len(q.Metadata) == 0 && q.Since.IsZero() && q.Until.IsZero() {
		r.open = true
	} else if q.Stream == "" {
		var err error
		if index, err = r.look(ctx); err != nil {
			return err
		}
	}
	if index != "" {
		forward, backward = sql.readIndex, sql.readIndexBackward
		first = 5
		r.width = maxWidth
	}
	var filters []string
	own := 0 // how many of them are the index's
	bind := func(v any) string {
		r.where.args = append(r.where.args, v)
		return fmt.Sprintf("$%d", first+len(r.where.args)-1)
	}
	column := "e.type"
	if index == typeIndexName {
		r.where.keys = slices.Compact(slices.Sorted(slices.Values(q.Types)))
	} else if len(q.Types) > 0 {
		filters = append(filters, "e.type = ANY ("+bind(q.Types)+"::text[])")
	}
	for _, key := range slices.Sorted(maps.Keys(q.Metadata)) {
		literal := quoteLiteral(key)
		filters = append(filters, "e.metadata ? "+literal, "jsonb_typeof(e.metadata -> "+literal+") = 'string'")
		if index == metadataIndexName(key) {
			column = "(e.metadata ->> " + literal + ")"
			r.where.keys = []string{q.Metadata[key]}
			index, own = "", 2
			continue
		}
		filters = append(filters, "e.metadata ->> "+literal+" = "+bind(q.Metadata[key])+"::text")
	}
	if !q.Since.IsZero() {
		filters = append(filters, "e.time >= "+bind(ceiling(q.Since))+"::timestamptz")
	}
	if !q.Until.IsZero() {
		filters = append(filters, "e.time < "+bind(ceiling(q.Until))+"::timestamptz")
	}
	if len(q.Categories) > 0 {
		// A scalar subquery is one look-up per event, whatever the planner thinks.
		filters = append(filters, "(SELECT s.category FROM "+r.s.schema+".streams s WHERE s.stream_id = e.stream_id) = ANY ("+bind(q.Categories)+"::text[])")
	}
	if r.where.keys != nil && len(filters) == own {
		r.width = 0 // the index finds nothing that is not returned
	}
	filter := filterMark
	if len(filters) > 0 {
		filter = "AND " + strings.Join(filters, " AND ")
	}
	// In one pass: a key may hold what is looked for.
	put := strings.NewReplacer(
		"e.type, e.position", column+", e.position",
		"e.type DESC, e.position", column+" DESC, e.position",
		filterMark, filter,
	).Replace
	r.where.sql, r.where.linked = put(forward), put(sql.readLinks)
	if q.Backward {
		r.where.sql, r.where.linked = put(backward), put(sql.readLinksBackward)
	}
	return nil
}

// look finds the best index for a filtered read of all streams, and bounds the read
// by the last position, and by time if that is asked for.
func (r *reading) look(ctx context.Context) (index string, _ error) {
	q := &r.q
	var wanted []string
	for _, key := range slices.Sorted(maps.Keys(q.Metadata)) {
		wanted = append(wanted, metadataIndexName(key))
	}
	if len(q.Types) > 0 {
		wanted = append(wanted, typeIndexName)
	}
	err := r.call(ctx, r.op, func(ctx context.Context, conn *pgx.Conn) error {
		var there []string
		if len(wanted) > 0 {
			rows, err := conn.Query(ctx, r.s.sql.readIndexes, wanted)
			if err != nil {
				return err
			}
			if there, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
				return err
			}
		}
		index = ""
		for _, name := range slices.Backward(wanted) {
			if slices.Contains(there, name) {
				index = name // metadata first: it tells most events apart
			}
		}
		var since, until pgtype.Timestamptz
		since.Time, since.Valid = ceiling(q.Since), !q.Since.IsZero()
		until.Time, until.Valid = ceiling(q.Until), !q.Until.IsZero()
		var low, high, last pgtype.Int8
		if err := conn.QueryRow(ctx, r.s.sql.readRange+r.s.stage(), since, until).Scan(&low, &high, &last); err != nil {
			return err
		}
		r.low, r.high = 1, last.Int64
		if since.Valid {
			if r.low = low.Int64; !low.Valid {
				r.low = last.Int64 + 1
			}
		}
		if until.Valid {
			r.high = min(high.Int64, last.Int64)
		}
		return nil
	})
	if err == nil {
		r.s.unindexed(ctx, q, index)
	}
	return index, err
}

// statement returns the next page's.
func (r *reading) statement(low, high int64, rows int) (sql string, args []any) {
	sql = r.where.sql
	if r.q.Stream != "" {
		if r.linked {
			sql = r.where.linked
		}
		args = []any{r.q.Stream, low, high, int64(rows)}
	} else {
		args = []any{low, high, int64(rows)}
	}
	if r.where.keys != nil {
		args = append(args, r.where.keys)
	}
	return sql + r.s.stage(), append(args, r.where.args...)
}

// ceiling returns the first microsecond, the precision of stored times, that is not
// before t.
func ceiling(t time.Time) time.Time {
	if down := t.Truncate(time.Microsecond); down.Before(t) {
		return down.Add(time.Microsecond)
	}
	return t
}

// quoteLiteral returns text as a literal of SQL, whatever the session's settings.
func quoteLiteral(text string) string {
	quoted := "'" + strings.ReplaceAll(text, "'", "''") + "'"
	if strings.Contains(text, `\`) {
		return " E" + strings.ReplaceAll(quoted, `\`, `\\`)
	}
	return quoted
}
