package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	driver "modernc.org/sqlite"

	"github.com/esgen/esgen/runtime/store"
)

// applicationID is "esgn": it marks a SQLite file as a store of events.
const applicationID = 0x6573676e

// checkFile returns the absolute path, so that a later change of the working
// directory means no other file.
func checkFile(file string) (string, error) {
	invalid := func(reason string) error {
		return &store.InvalidError{What: "sqlite file", Value: file, Reason: reason}
	}
	switch {
	case file == "":
		return "", invalid("empty; name a file, or use package memory for a store that is not kept")
	case file == ":memory:", strings.HasPrefix(file, "file::memory:"), strings.Contains(file, "mode=memory"):
		return "", invalid("a database in memory is private to one connection and is not kept; use package memory")
	case strings.HasPrefix(file, "file:"):
		return "", invalid("give a path, not an address; settings belong into sqlite.Config")
	case strings.IndexByte(file, 0) >= 0:
		return "", invalid("holds U+0000")
	}
	path, err := filepath.Abs(file)
	if err != nil {
		return "", invalid(err.Error())
	}
	return path, nil
}

// address is the file as the driver takes it.
func address(file string, settings ...string) string {
	path := filepath.ToSlash(file)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // C:/data becomes file:///C:/data
	}
	u := url.URL{Scheme: "file", Path: path, RawQuery: strings.Join(settings, "&")}
	return u.String()
}

// open returns a pool that connects when it is first used.
func open(address string, connections int) (*sql.DB, error) {
	connector, err := driver.NewConnector(address)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

// identify tells whether file is a store's, and whether there is nothing yet. It
// changes nothing, and looks through SQLite: a file that is opened and closed
// beside SQLite takes away the locks of all its connections in this process.
func identify(ctx context.Context, file string) (empty bool, err error) {
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return true, nil
	case err != nil:
		return false, &FileError{File: file, Reason: "cannot be looked at", Err: err}
	case info.IsDir():
		return false, &FileError{File: file, Reason: "is a directory"}
	case info.Size() == 0:
		return true, nil
	}
	id, err := application(ctx, address(file, "mode=ro", "immutable=1"))
	if _, logged := os.Stat(file + "-wal"); logged == nil && (err != nil || id != applicationID) {
		// Who looks without locks sees the file without its log, and a checkpoint by
		// halves: of one that is under way, or whose process was killed.
		id, err = application(ctx, address(file, "mode=ro", "_busy_timeout=5000"))
	}
	if err != nil {
		return false, err
	}
	if id != applicationID {
		return false, &FileError{File: file, Reason: "is a SQLite database of another program; it was not changed"}
	}
	return false, nil
}

// application returns whose database it is.
func application(ctx context.Context, address string) (id int64, err error) {
	db, err := open(address, 1)
	if err != nil {
		return 0, err
	}
	defer func() { _ = db.Close() }() // nothing was written
	err = db.QueryRowContext(ctx, "PRAGMA application_id").Scan(&id)
	return id, err
}
