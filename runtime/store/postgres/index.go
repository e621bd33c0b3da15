package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"github.com/esgen/esgen/internal/printable"
	"github.com/esgen/esgen/runtime/store"
)

// Index names an index of events that a store has only if it was asked for: each
// costs every append. The zero value is [ByType].
type Index struct {
	metadata bool
	key      string
}

// ByType is the index for queries with [store.Query.Types].
var ByType = Index{}

// ByMetadata returns the index for queries with this key in [store.Query.Metadata].
// Texts under an indexed key are at most about 2 600 bytes long: an append of a
// longer one is refused.
func ByMetadata(key string) Index { return Index{metadata: true, key: key} }

// ParseIndex is the reverse of [Index.String]. The error is a [*store.InvalidError].
func ParseIndex(text string) (Index, error) {
	if text == "type" {
		return ByType, nil
	}
	key, found := strings.CutPrefix(text, "metadata.")
	if !found {
		return Index{}, invalidIndex(text, "there are type, and metadata.KEY")
	}
	i := ByMetadata(key)
	return i, i.check()
}

// String is "type" or "metadata.KEY".
func (i Index) String() string {
	if i.metadata {
		return "metadata." + i.key
	}
	return "type"
}

// Name is that of the index in the schema: at most 63 bytes, the same for ever.
func (i Index) Name() string {
	if i.metadata {
		return metadataIndexName(i.key)
	}
	return typeIndexName
}

func (i Index) check() error {
	switch {
	case i.metadata && i.key == "":
		return invalidIndex(i.String(), "the key is empty")
	case !utf8.ValidString(i.key) || strings.ContainsRune(i.key, 0):
		return invalidIndex(i.String(), "the key is not UTF-8 without U+0000, as all metadata is")
	}
	return nil
}

func invalidIndex(text, reason string) error {
	return &store.InvalidError{What: "index", Value: text, Reason: reason}
}

// definition creates the index. The key stands in a comment, for the name does not
// show it.
func (i Index) definition(schema string) (create, comment string) {
	head := "CREATE INDEX CONCURRENTLY " + quote(i.Name()) + " ON " + schema + ".events "
	if !i.metadata {
		return head + "(type, position) WHERE position IS NOT NULL", ""
	}
	key := quoteLiteral(i.key)
	return head + "((metadata ->> " + key + "), position) WHERE position IS NOT NULL AND metadata ? " + key,
		"COMMENT ON INDEX " + schema + "." + quote(i.Name()) + " IS " + quoteLiteral(i.String())
}

// IndexInfo describes an index that was asked for.
type IndexInfo struct {
	// Index is the zero value if Name is all that is known: its building was cut off
	// before its key was noted. To add the index again mends it.
	Index Index `json:"-"`
	// For is Index as text, empty if it is not known.
	For string `json:"for"`
	// Name in the schema.
	Name string `json:"name"`
	// Valid is whether reads use it. One that is neither valid nor being built was
	// left by a build that was cut off: it costs appends and serves nobody.
	Valid bool `json:"valid"`
	// Building tells of a build that is under way.
	Building *Build `json:"building"`
	// Bytes on disk.
	Bytes int64 `json:"bytes"`
}

// Build is the building of an index by a session.
type Build struct {
	PID int32 `json:"pid"`
	// Phase in PostgreSQL's words, empty if the role may not see it.
	Phase string `json:"phase"`
	// Done and Total count blocks in this phase.
	Done  int64 `json:"done"`
	Total int64 `json:"total"`
}

// Indexes returns the indexes that were asked for, by name.
//
// Errors: [*store.NotMigratedError], [*store.UnavailableError].
func (s *Store) Indexes(ctx context.Context) (all []IndexInfo, _ error) {
	op := "list indexes of schema " + printable.Name(s.config.Schema)
	err := s.call(ctx, op, func(ctx context.Context, conn *pgx.Conn) (err error) {
		all, err = s.indexes(ctx, conn)
		return err
	})
	return all, err
}

func (s *Store) indexes(ctx context.Context, conn *pgx.Conn) ([]IndexInfo, error) {
	rows, err := conn.Query(ctx, healthSQL("indexes", s.schema), s.schema+".events")
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (info IndexInfo, err error) {
		var comment, phase *string
		var pid *int32
		var done, total *int64
		if err := row.Scan(&info.Name, &info.Valid, &info.Bytes, &comment, &pid, &phase, &done, &total); err != nil {
			return info, err
		}
		if info.Name == typeIndexName {
			info.For = ByType.String()
		} else if comment != nil {
			if i, err := ParseIndex(*comment); err == nil && i.Name() == info.Name {
				info.Index, info.For = i, *comment
			}
		}
		if pid != nil {
			info.Building = &Build{PID: *pid, Phase: value(phase), Done: value(done), Total: value(total)}
		}
		return info, nil
	})
}

// value is what p points to, or nothing.
func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// BuildingError tells that another session is building an index.
type BuildingError struct {
	Index Index
	Build Build
}

func (e *BuildingError) Error() string {
	text := fmt.Sprintf("index %s: the session with pid %d is building it", printable.Name(e.Index.String()), e.Build.PID)
	if e.Build.Phase != "" {
		text += fmt.Sprintf(": %s, %d of %d blocks", e.Build.Phase, e.Build.Done, e.Build.Total)
	}
	return text + "; wait for it, or end it with pg_terminate_backend and add the index again"
}

// AddIndex builds an index while appends and reads go on, and reports whether it
// did: one that is there stays as it is. It takes as long as the table is large,
// and first waits for every transaction that is open in the database; it has no
// timeout but ctx's. What a build that was cut off has left is removed, and built
// anew. The role must own the schema's tables.
//
// Errors: a [*BuildingError] if another session is at it; [*store.InvalidError];
// [*store.NotMigratedError]; [*store.UnavailableError], also if the build was cut
// off: call again.
func (s *Store) AddIndex(ctx context.Context, i Index) (built bool, _ error) {
	op := fmt.Sprintf("add index %s to schema %s", printable.Name(i.String()), printable.Name(s.config.Schema))
	if err := i.check(); err != nil {
		return false, err
	}
	create, comment := i.definition(s.schema)
	err := s.onConn(ctx, func(conn *pgx.Conn) error {
		there, err := s.findIndex(ctx, conn, i)
		switch {
		case err != nil:
			return err
		case there != nil && there.Building != nil:
			return &BuildingError{Index: i, Build: *there.Building}
		case there != nil && there.Valid && there.For != "":
			return nil
		case there != nil && !there.Valid:
			if err := s.removeIndex(ctx, conn, i); err != nil {
				return err
			}
			there = nil
		}
		if there == nil {
			if _, err := conn.Exec(ctx, create); err != nil {
				return s.raced(ctx, conn, i, err)
			}
			built = true
		}
		if comment != "" {
			_, err = conn.Exec(ctx, comment)
		}
		return err
	})
	return built, s.explainIndex(ctx, op, err)
}

// raced tells of another session that began to build the index a moment before.
func (s *Store) raced(ctx context.Context, conn *pgx.Conn, i Index, err error) error {
	if code := sqlState(err); code != "42P07" && code != stateUniqueViolation {
		return err
	}
	if there, again := s.findIndex(ctx, conn, i); again == nil && there != nil && there.Building != nil {
		return &BuildingError{Index: i, Build: *there.Building}
	}
	return err
}

// DropIndex removes an index while appends and reads go on, also what is left of a
// build that was cut off, and reports whether there was one. It waits for
// transactions that are open in the database, as long as ctx lets it. Errors are
// those of [Store.AddIndex].
func (s *Store) DropIndex(ctx context.Context, i Index) (dropped bool, _ error) {
	op := fmt.Sprintf("drop index %s of schema %s", printable.Name(i.String()), printable.Name(s.config.Schema))
	if err := i.check(); err != nil {
		return false, err
	}
	err := s.onConn(ctx, func(conn *pgx.Conn) error {
		there, err := s.findIndex(ctx, conn, i)
		switch {
		case err != nil || there == nil:
			return err
		case there.Building != nil:
			return &BuildingError{Index: i, Build: *there.Building}
		}
		dropped = true
		return s.removeIndex(ctx, conn, i)
	})
	return dropped && err == nil, s.explainIndex(ctx, op, err)
}

func (s *Store) removeIndex(ctx context.Context, conn *pgx.Conn, i Index) error {
	_, err := conn.Exec(ctx, "DROP INDEX CONCURRENTLY IF EXISTS "+s.schema+"."+quote(i.Name()))
	return err
}

func (s *Store) findIndex(ctx context.Context, conn *pgx.Conn, i Index) (*IndexInfo, error) {
	all, err := s.indexes(ctx, conn)
	for n := range all {
		if all[n].Name == i.Name() {
			return &all[n], err
		}
	}
	return nil, err
}

// onConn does work once, on one connection: to build an index again at once, as
// other calls are made again, would meet what the first attempt has left.
func (s *Store) onConn(ctx context.Context, work func(*pgx.Conn) error) error {
	conn, err := s.acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	return work(conn.Conn())
}

func (s *Store) explainIndex(ctx context.Context, op string, err error) error {
	switch _, building := errors.AsType[*BuildingError](err); {
	case err == nil, building:
		return err
	case sqlState(err) == statePrivilege:
		return fmt.Errorf("%s: %w; only the owner of the tables, or a member of that role, adds and drops their indexes", op, err)
	case sqlState(err) == stateQueryCanceled && ctx.Err() == nil:
		return &store.UnavailableError{Op: op, Err: fmt.Errorf("%w; let the role's statement_timeout and lock_timeout be 0 for this, and call again", err)}
	}
	return s.explain(ctx, op, err)
}
