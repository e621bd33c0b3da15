package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/esgen/esgen/internal/printable"
	"github.com/esgen/esgen/runtime/store"
)

//go:embed sql/health/*.sql
var healthFiles embed.FS

// healthSQL names the default schema; schema takes its place.
func healthSQL(name, schema string) string {
	text, err := healthFiles.ReadFile("sql/health/" + name + ".sql")
	if err != nil {
		return "-- no statement " + name // not reached: all names are those of embedded files
	}
	return strings.ReplaceAll(string(text), DefaultSchema+".", schema+".")
}

// Check returns nil if events can be appended: the server answers, takes writes,
// and the schema has all that this program's release needs. A newer schema has:
// during a deploy the old program is no less ready than before. It is one round
// trip, for probes.
//
// Errors: [*store.UnavailableError], [*store.NotMigratedError].
func (s *Store) Check(ctx context.Context) error {
	op := "check schema " + printable.Name(s.config.Schema)
	var have int
	var readOnly bool
	err := s.call(ctx, op, func(ctx context.Context, conn *pgx.Conn) error {
		return conn.QueryRow(ctx, healthSQL("check", s.schema)).Scan(&have, &readOnly)
	})
	switch want := len(Migrations()); {
	case err != nil:
		return err
	case have < want:
		return &store.NotMigratedError{Store: s.config.Schema, Have: have, Want: want, Remedy: remedy}
	case readOnly:
		return &store.UnavailableError{Op: op, Err: errors.New("the server or the session is read-only, as a standby is")}
	}
	return nil
}

// Doctor looks at the server and the schema, and says what somebody should look
// at. It reads the system's views and no events, locks nothing, and takes some
// milliseconds. What the role may not see is missing; membership in pg_monitor
// shows it.
//
// The error is a [*store.UnavailableError] if the server cannot be asked, or one
// about rights. A schema that is missing or of another release is no error but a
// finding.
func (s *Store) Doctor(ctx context.Context) (Report, error) {
	var r Report
	err := s.call(ctx, "examine schema "+printable.Name(s.config.Schema), func(ctx context.Context, conn *pgx.Conn) error {
		r = Report{
			Store: s.config.Schema, Appending: []Session{}, Locks: []LockState{}, Snapshots: []SnapshotState{},
			Tables: []TableState{}, Indexes: []IndexInfo{}, Findings: []Finding{},
		}
		return s.examine(ctx, conn, &r)
	})
	return r, err
}

func (s *Store) examine(ctx context.Context, conn *pgx.Conn, r *Report) error {
	err := conn.QueryRow(ctx, healthSQL("server", s.schema)).Scan(&r.Time, &r.Server.Version, &r.Server.Database, &r.Server.Role, &r.Server.ReadOnly,
		&r.Server.Fsync, &r.Server.SynchronousCommit, &r.Server.Connections, &r.Server.MaxConnections, &r.Server.SeesAll)
	if err != nil {
		return err
	}
	r.Time = r.Time.UTC()
	if err := s.examineMigrations(ctx, conn, r); err != nil {
		return err
	}
	if r.Migrations.At > 0 {
		if err := s.examineSchema(ctx, conn, r); err != nil {
			return err
		}
	}
	if err := s.examineSnapshots(ctx, conn, r); err != nil {
		return err
	}
	s.examineProcess(r)
	r.judge()
	return nil
}

func (s *Store) examineMigrations(ctx context.Context, conn *pgx.Conn, r *Report) error {
	all := Migrations()
	r.Migrations = MigrationState{Of: len(all), Pending: []string{}}
	var there bool
	if err := conn.QueryRow(ctx, "SELECT to_regclass($1) IS NOT NULL", s.schema+".migrations").Scan(&there); err != nil {
		return err
	}
	if there {
		if err := conn.QueryRow(ctx, s.sql.migrated).Scan(&r.Migrations.At); err != nil {
			return err
		}
	}
	for _, m := range all[min(r.Migrations.At, len(all)):] {
		r.Migrations.Pending = append(r.Migrations.Pending, fmt.Sprintf("%d %s", m.Number, m.Name))
	}
	return nil
}

func (s *Store) examineSchema(ctx context.Context, conn *pgx.Conn, r *Report) (err error) {
	events, streams := s.schema+".events", s.schema+".streams"
	err = conn.QueryRow(ctx, healthSQL("head", s.schema)).Scan(&r.Head.Position, &r.Head.Epoch, &r.Head.Events, &r.Head.Streams)
	if err != nil {
		return err
	}
	if r.Appending, err = collect(ctx, conn, healthSQL("appending", s.schema), func(v *Session) []any { return v.fields() }, events); err != nil {
		return err
	}
	if r.Locks, err = collect(ctx, conn, healthSQL("locks", s.schema), func(v *LockState) []any {
		return append([]any{&v.Lock, &v.Held, &v.Waited, &v.BlockedBy}, v.fields()...)
	}, events, streams); err != nil {
		return err
	}
	if r.Tables, err = collect(ctx, conn, healthSQL("tables", s.schema), func(v *TableState) []any {
		return []any{&v.Table, &v.Live, &v.Dead, &v.Vacuumed, &v.Bytes}
	}, s.config.Schema); err != nil {
		return err
	}
	if r.Indexes, err = s.indexes(ctx, conn); err != nil {
		return err
	}
	invalid, err := collect(ctx, conn, healthSQL("invalid", s.schema), func(v *string) []any { return []any{v} }, s.config.Schema)
	for _, name := range invalid {
		r.find(Harmful, fmt.Sprintf("index %s is invalid: its building was cut off; it costs every append and serves no read", printable.Name(name)),
			"add the index again (esctl index add), or drop it")
	}
	return err
}

func (s *Store) examineSnapshots(ctx context.Context, conn *pgx.Conn, r *Report) (err error) {
	r.Snapshots, err = collect(ctx, conn, healthSQL("snapshots", s.schema), func(v *SnapshotState) []any {
		return append([]any{&v.Kind, &v.Transactions}, v.fields()...)
	})
	return err
}

// examineProcess adds what this process knows of itself.
func (s *Store) examineProcess(r *Report) {
	noted := s.unindexedFilters()
	for _, filter := range slices.Sorted(maps.Keys(noted)) {
		if !slices.ContainsFunc(r.Indexes, func(i IndexInfo) bool { return i.For == filter && i.Valid }) {
			r.Filters = append(r.Filters, FilterState{Filter: filter, Reads: noted[filter]})
		}
	}
	q := &s.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	r.Queue = &QueueState{Appends: len(q.waiting), Bytes: q.bytes, Flushes: q.flushers, Stalled: q.stalled}
}

func (v *Session) fields() []any {
	return []any{&v.PID, &v.Application, &v.User, &v.State, &v.Age, &v.Query}
}

// collect returns the rows of a query, none as an empty list.
func collect[T any](ctx context.Context, conn *pgx.Conn, sql string, fields func(*T) []any, args ...any) ([]T, error) {
	rows, err := conn.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (v T, err error) {
		err = row.Scan(fields(&v)...)
		return v, err
	})
	if all == nil {
		all = []T{}
	}
	return all, err
}
