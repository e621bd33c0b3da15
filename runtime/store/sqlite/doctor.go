package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	code "modernc.org/sqlite/lib"

	"github.com/esgen/esgen/runtime/store"
)

// Report is what [Store.Doctor] has found out. Its names in JSON never change;
// there may come more.
type Report struct {
	Store      string         `json:"store"`
	Time       time.Time      `json:"time"`
	Migrations MigrationState `json:"migrations"`
	File       FileState      `json:"file"`
	Head       HeadState      `json:"head"`
	// Lanes of subscriptions are those whose owner has ended and that nobody has
	// taken over, and those whose owner cannot go on, the longest first, at most 50.
	Lanes []LaneState `json:"lanes"`
	// Findings are what somebody should look at.
	Findings []Finding `json:"findings"`
}

// MigrationState is how far the file is.
type MigrationState struct {
	At      int      `json:"at"`
	Of      int      `json:"of"`
	Pending []string `json:"pending"`
}

// FileState is the file as SQLite and the system see it.
type FileState struct {
	Bytes int64 `json:"bytes"`
	// LogBytes is the size of the write-ahead log.
	LogBytes int64 `json:"log_bytes"`
	// FreeBytes are unused inside the file.
	FreeBytes int64 `json:"free_bytes"`
}

// HeadState is the end of $all.
type HeadState struct {
	Position store.Position `json:"position"`
}

// Finding is something that somebody should look at.
type Finding struct {
	// Severity is "broken", "harmful" or "notable", which is only good to know.
	Severity string `json:"severity"`
	// What is the case, and Remedy what to do.
	What   string `json:"what"`
	Remedy string `json:"remedy"`
}

// manyLogBytes is a log that no checkpoint has emptied for long: somebody reads
// without an end.
const manyLogBytes = 256 << 20

// Check returns nil if the file is a store of this release that can be read. It
// is quick, for probes.
//
// Errors: [*FileError], [*store.NotMigratedError], [*store.UnavailableError].
func (s *Store) Check(ctx context.Context) error {
	op := "check " + s.file
	ctx, cancel, err := s.begin(ctx, op)
	if err != nil {
		return err
	}
	defer cancel()
	var head store.Position
	return interpret(store.Ended(ctx, ""), s.file, op, s.base.row(ctx, headSQL, nil, &head))
}

// Doctor looks at the file, and says what somebody should look at. It walks the
// whole file to find damage, which takes about as long as copying it, and has no
// timeout but ctx's. A file of another release is no error but a finding.
//
// Errors: [*FileError], [*store.UnavailableError].
func (s *Store) Doctor(ctx context.Context) (Report, error) {
	r := Report{Store: s.file, Time: s.now(), Lanes: []LaneState{}, Findings: []Finding{}}
	err := s.examine(ctx, &r)
	if primary(err) == code.SQLITE_CORRUPT {
		r.damaged(err.Error())
		err = nil
	}
	return r, interpret(store.Ended(ctx, ""), s.file, "examine "+s.file, err)
}

func (s *Store) examine(ctx context.Context, r *Report) error {
	r.Migrations = MigrationState{At: len(migrations), Of: len(migrations), Pending: []string{}}
	db, err := s.base.pool(ctx)
	if missing, ok := errors.AsType[*store.NotMigratedError](err); ok {
		r.Migrations.At = missing.Have
		r.Migrations.Pending = slices.Clone(migrations[min(missing.Have, len(migrations)):])
		r.find("broken", fmt.Sprintf("the file is at migration %d of %d", missing.Have, missing.Want), "migrate it: esctl migrate, or Migrate(ctx); a newer file wants a newer program")
		return nil
	}
	if err != nil {
		return err
	}
	if r.File.Bytes, err = size(s.file); err != nil {
		return err
	}
	if r.File.LogBytes, err = size(s.file + "-wal"); err != nil {
		return err
	}
	var free, page int64
	for pragma, to := range map[string]*int64{"freelist_count": &free, "page_size": &page} {
		if err := db.QueryRowContext(ctx, "PRAGMA "+pragma).Scan(to); err != nil {
			return err
		}
	}
	r.File.FreeBytes = free * page
	if err := s.base.row(ctx, headSQL, nil, &r.Head.Position); err != nil {
		return err
	}
	if err := s.ailing(ctx, r); err != nil {
		return err
	}
	if r.File.LogBytes > manyLogBytes {
		r.find("harmful", fmt.Sprintf("the write-ahead log has %d bytes: somebody reads without an end, so that it cannot be emptied", r.File.LogBytes),
			"end programs that have the file open and do nothing")
	}
	var damage string
	if err := db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&damage); err != nil {
		return err
	}
	if damage != "ok" {
		r.damaged(damage)
	}
	return nil
}

func (r *Report) damaged(how string) {
	r.find("broken", "SQLite finds damage: "+how, "restore the file from a copy")
}

func (r *Report) find(severity, what, remedy string) {
	r.Findings = append(r.Findings, Finding{Severity: severity, What: what, Remedy: remedy})
}

// size is that of a file in bytes, 0 if there is none.
func size(file string) (int64, error) {
	info, err := os.Stat(file)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, &FileError{File: file, Reason: "cannot be looked at", Err: err}
	}
	return info.Size(), nil
}
