package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/esgen/esgen/cmd/esgen/internal/lock"
	"github.com/esgen/esgen/cmd/esgen/internal/scan"
	"github.com/esgen/esgen/templates"
)

// A package that is deleted whole is in no list of the go command. What is left of it
// is its lock: in the directory, or only in the commit that -against names. Patterns
// with … are looked through for both.

// gone finds the directories below the patterns in args that have, or had, a lock and
// are none of the packages. One whose events are in a package that had no lock has
// moved there, and is held against that.
func (c *checking) gone(ctx context.Context, args []string, packages []scan.Package) ([]scan.Package, error) {
	there := map[string]bool{}
	for _, p := range packages {
		there[p.Dir] = true
	}
	var missing []scan.Package
	for _, arg := range args {
		below, ok := strings.CutSuffix(filepath.ToSlash(arg), "/...")
		if !ok || !isPath(below) {
			continue
		}
		root := filepath.Clean(filepath.FromSlash(below))
		if !filepath.IsAbs(root) {
			root = filepath.Join(c.here, root)
		}
		dirs, err := lockedBelow(root)
		if err == nil && c.against != "" {
			var once []string
			once, err = c.lockedOnce(ctx, root)
			dirs = append(dirs, once...)
		}
		if err != nil {
			return nil, err
		}
		for _, dir := range dirs {
			if there[dir] {
				continue
			}
			there[dir] = true
			was, exists, err := c.locked(ctx, dir, filepath.Join(dir, lock.Name))
			if err != nil {
				return nil, err
			}
			if !exists || len(was.Events) == 0 {
				continue
			}
			to, err := c.movedTo(ctx, was, packages)
			if err != nil {
				return nil, err
			}
			if to != "" {
				c.moved[to] = was
				continue
			}
			fmt.Fprintf(c.stderr, "esgen: %s has no package any more: if it has moved, move its %s and testdata/events with it\n",
				c.relative(dir), lock.Name)
			missing = append(missing, scan.Package{Dir: dir, Model: &templates.Package{Name: was.Package}})
		}
	}
	return missing, nil
}

// movedTo is the directory of the package without a lock in the commit that has the
// most of the events that were locked elsewhere, or nothing.
func (c *checking) movedTo(ctx context.Context, was lock.File, packages []scan.Package) (dir string, _ error) {
	if c.against == "" {
		return "", nil // its own lock, or the lack of one, speaks for a package
	}
	most := 0
	for _, p := range packages {
		if p.Model == nil || len(c.moved[p.Dir].Events) > 0 {
			continue
		}
		if _, had, err := c.locked(ctx, p.Dir, filepath.Join(p.Dir, lock.Name)); err != nil || had {
			if err != nil {
				return "", err
			}
			continue
		}
		same := 0
		for _, e := range lock.Of(*p.Model).Events {
			if slices.ContainsFunc(was.Events, func(w lock.Event) bool { return w.Name == e.Name || slices.Contains(e.Aliases, w.Name) }) {
				same++
			}
		}
		if same > most {
			most, dir = same, p.Dir
		}
	}
	return dir, nil
}

// unmatched reports whether the go command passes over a directory, by its name, when
// it looks for packages.
func unmatched(name string) bool {
	return name == "testdata" || name == "vendor" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")
}

// lockedBelow finds the directories with a lock, in the module of root.
func lockedBelow(root string) (dirs []string, _ error) {
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			if os.IsNotExist(err) && path == root {
				return filepath.SkipAll
			}
			return err
		case !entry.IsDir():
			if entry.Name() == lock.Name {
				dirs = append(dirs, filepath.Dir(path))
			}
			return nil
		case path == root:
			return nil
		case unmatched(entry.Name()):
			return filepath.SkipDir
		}
		if _, err := os.Stat(filepath.Join(path, "go.mod")); err == nil {
			return filepath.SkipDir
		}
		return nil
	})
	return dirs, err
}

// lockedOnce finds the directories that had a lock in the commit.
func (c *checking) lockedOnce(ctx context.Context, root string) (dirs []string, _ error) {
	at, rest := existing(root)
	ref, err := commit(ctx, at, c.against)
	if err != nil {
		return nil, err
	}
	listed, err := git(ctx, at, "ls-tree", "-r", "-z", "--name-only", ref, filepath.ToSlash(rest)+"/")
	if err != nil {
		return nil, err
	}
	files := strings.Split(string(bytes.TrimSuffix(listed, []byte{0})), "\x00")
	modules := map[string]bool{}
	for _, f := range files {
		if filepath.Base(f) == "go.mod" {
			modules[filepath.Join(at, filepath.FromSlash(filepath.Dir(f)))] = true
		}
	}
	for _, f := range files {
		dir := filepath.Join(at, filepath.FromSlash(filepath.Dir(f)))
		if filepath.Base(f) == lock.Name && inModule(root, dir, modules) {
			dirs = append(dirs, dir)
		}
	}
	return dirs, nil
}

// inModule reports whether the go command finds dir from root.
func inModule(root, dir string, modules map[string]bool) bool {
	for ; dir != root; dir = filepath.Dir(dir) {
		_, err := os.Stat(filepath.Join(dir, "go.mod")) // a module of its own by now
		if err == nil || modules[dir] || unmatched(filepath.Base(dir)) || len(dir) <= len(root) {
			return false
		}
	}
	return true
}

// existing is the nearest directory above dir that is there, and the way from it.
func existing(dir string) (at, rest string) {
	rest = "."
	for at = dir; filepath.Dir(at) != at; at = filepath.Dir(at) {
		if info, err := os.Stat(at); err == nil && info.IsDir() {
			break
		}
		rest = filepath.Join(filepath.Base(at), rest)
	}
	return at, rest
}
