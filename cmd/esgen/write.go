package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
)

// write replaces the file at path at once: a reader, a crash or a full disk sees
// the old text or the new one, whole. The new file keeps the old one's mode.
func write(path string, text []byte) (err error) {
	dir, name := filepath.Split(path)
	// The go command ignores files that begin with a dot.
	temporary := filepath.Join(dir, "."+name+"."+strconv.Itoa(os.Getpid()))
	file, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if errors.Is(err, fs.ErrExist) { // left by a process of that id that was killed
		if err = os.Remove(temporary); err == nil {
			file, err = os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		}
	}
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(temporary))
		}
	}()
	if _, err = file.Write(text); err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	if old, statErr := os.Stat(path); statErr == nil {
		if err = os.Chmod(temporary, old.Mode().Perm()); err != nil {
			return err
		}
	}
	return os.Rename(temporary, path)
}
