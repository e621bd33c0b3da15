package pgtest

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const binVariable = "ESGEN_TEST_POSTGRES_BIN"

// binaries is an installation of PostgreSQL.
type binaries struct {
	dir     string // holds postgres and initdb
	version string // "15.18"
}

// installed returns the newest PostgreSQL on this machine: that of
// ESGEN_TEST_POSTGRES_BIN if it is set, else of PATH and of where distributions
// and package managers put servers. ok is false if there is none.
func installed() (_ binaries, ok bool, _ error) {
	if dir := os.Getenv(binVariable); dir != "" {
		b, err := inspect(dir)
		if err != nil {
			return b, false, fmt.Errorf("%s=%s: %w", binVariable, dir, err)
		}
		return b, true, nil
	}
	var dirs []string
	if path, err := exec.LookPath("postgres"); err == nil {
		// The libraries are found from where the file really is.
		if path, err = filepath.EvalSymlinks(path); err == nil {
			dirs = append(dirs, filepath.Dir(path))
		}
	}
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin",
		"/opt/homebrew/opt/postgresql@*/bin", "/usr/local/opt/postgresql@*/bin", "/opt/local/lib/postgresql*/bin",
	} {
		found, _ := filepath.Glob(pattern)
		dirs = append(dirs, found...)
	}
	var all []binaries
	for _, dir := range dirs {
		if b, err := inspect(dir); err == nil {
			all = append(all, b)
		}
	}
	if len(all) == 0 {
		return binaries{}, false, nil
	}
	return slices.MaxFunc(all, func(a, b binaries) int { return cmp.Compare(a.number(), b.number()) }), true, nil
}

var versionText = regexp.MustCompile(`\d+(\.\d+)*`)

func inspect(dir string) (binaries, error) {
	if _, err := os.Stat(filepath.Join(dir, "initdb")); err != nil {
		return binaries{}, err
	}
	out, err := exec.CommandContext(context.Background(), filepath.Join(dir, "postgres"), "--version").Output()
	if err != nil {
		return binaries{}, fmt.Errorf("postgres --version: %w", err)
	}
	version := versionText.FindString(string(out))
	if version == "" {
		return binaries{}, fmt.Errorf("postgres --version says %q", out)
	}
	return binaries{dir: dir, version: version}, nil
}

// number orders versions; a beta counts as its major.
func (b binaries) number() float64 {
	major, minor, _ := strings.Cut(b.version, ".")
	whole, _ := strconv.Atoi(major)
	part, _ := strconv.Atoi(minor)
	return float64(whole) + float64(part)/1000
}

func (b binaries) path(program string) string { return filepath.Join(b.dir, program) }
