package scan

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
)

// listed is what the go command knows of an import.
type listed struct {
	ImportPath string
	Dir        string
	Export     string
	GoFiles    []string
	CgoFiles   []string
	ImportMap  map[string]string
	Standard   bool
	Module     *struct{ Version string }
	Error      *struct{ Err string }
}

// fixed reports whether a package never changes: it is of the toolchain, or of the
// cache of modules, where a module's directory bears its version.
func (p listed) fixed() bool {
	return p.Standard || p.Module != nil && p.Module.Version != "" && strings.Contains(p.Dir, "@"+p.Module.Version)
}

// list asks the go command, in dir, for the export data of packages and of all
// that they import. A package that does not compile comes without.
func list(ctx context.Context, dir string, paths []string) ([]listed, error) {
	args := []string{"list", "-e", "-export", "-deps", "-json=ImportPath,Dir,Export,GoFiles,CgoFiles,ImportMap,Standard,Module,Error", "--"}
	return goList[listed](ctx, dir, slices.Concat(args, paths))
}

// Match returns the directories of the packages that the patterns select, as the
// go command understands patterns, seen from dir.
func Match(ctx context.Context, dir string, patterns []string) ([]string, error) {
	type match struct {
		Dir        string
		ImportPath string
		Error      *struct{ Err string }
	}
	args := append([]string{"list", "-e", "-find", "-json=Dir,ImportPath,Error", "--"}, patterns...)
	matches, err := goList[match](ctx, dir, args)
	if err != nil {
		return nil, err
	}
	var dirs []string
	for _, m := range matches {
		if m.Dir == "" {
			reason := "no such package"
			if m.Error != nil {
				reason = strings.TrimSpace(m.Error.Err)
			}
			return nil, fmt.Errorf("find package %s: %s", m.ImportPath, reason)
		}
		dirs = append(dirs, m.Dir)
	}
	return dirs, nil
}

func goList[T any](ctx context.Context, dir string, args []string) ([]T, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil && len(out) == 0 {
		if text := strings.TrimSpace(stderr.String()); text != "" {
			err = errors.New(text)
		}
		return nil, fmt.Errorf("run go list in %s: %w", dir, err)
	}
	var result []T
	decoder := json.NewDecoder(bytes.NewReader(out))
	for {
		var one T
		if err := decoder.Decode(&one); errors.Is(err, io.EOF) {
			return result, nil
		} else if err != nil {
			return nil, fmt.Errorf("read the output of go list in %s: %w", dir, err)
		}
		result = append(result, one)
	}
}
