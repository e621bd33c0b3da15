package sqlite

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"github.com/esgen/esgen/runtime/store"
)

// Exists reports whether file holds a store, of whatever release. It changes
// nothing. The error is a [*FileError] if something else is there.
func Exists(ctx context.Context, file string) (bool, error) {
	path, err := checkFile(file)
	if err != nil {
		return false, err
	}
	empty, err := identify(ctx, path)
	return err == nil && !empty, interpret(store.Ended(ctx, ""), path, "look at "+path, err)
}

// Remove deletes the store in file with all its events, for ever, and what SQLite
// keeps beside it. Nobody may have it open: whoever has goes on with a file that
// has no name. No store there is no error, but a file that holds something else
// stays, and is a [*FileError].
func Remove(ctx context.Context, file string) error {
	there, err := Exists(ctx, file)
	if err != nil || !there {
		return err
	}
	path, err := checkFile(file)
	if err != nil {
		return err
	}
	// The log first: it must not be taken for that of a later file of this name.
	for _, suffix := range []string{"-wal", "-shm", ""} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return opError("remove "+path, err)
		}
	}
	return nil
}
