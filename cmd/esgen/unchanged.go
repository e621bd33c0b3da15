package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// A run on a package of which nothing has changed need not ask the go command,
// which takes most of its time. What the last run has found is kept in the user's
// cache directory, one file for each package:
//
//   - which directories hold the Go files that decide, and a digest of them, of
//     this program, of the go command and of all that steers it;
//   - the digests of the files that were generated.
//
// A run that finds all of that as it was has nothing to do. The digest is taken
// before the sources are read and again after, and kept only if both are the same:
// a file that is edited meanwhile is not taken for one that was seen. So a first
// run only learns the directories, and the second one keeps the digest. What is
// kept may be lost or unreadable at any time: then the run is a whole one.

// memory is what is kept of a package.
type memory struct {
	Inputs  []string          `json:"inputs"`
	Digest  string            `json:"digest"`
	Outputs map[string]string `json:"outputs"`
}

// memories are the cache during one run.
type memories struct {
	// dir is where they are kept, or empty if they are not.
	dir string
	// base is the digest of what all packages have in common.
	base string
	// files remembers the digests of this moment, for packages share directories.
	files map[string]string
}

// remember opens the cache. Without one, or with settings of the go command that
// name further files, nothing is remembered.
func remember() *memories {
	dir, err := os.UserCacheDir()
	if err != nil {
		return &memories{}
	}
	base, err := surroundings()
	if err != nil {
		return &memories{}
	}
	return &memories{dir: filepath.Join(dir, "esgen"), base: base, files: map[string]string{}}
}

// surroundings digests this program, the go command and their settings.
func surroundings() (string, error) {
	sum := sha256.New()
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	program, err := os.Open(self)
	if err != nil {
		return "", err
	}
	defer func() { _ = program.Close() }() // read only
	if _, err := io.Copy(sum, program); err != nil {
		return "", err
	}
	command, err := exec.LookPath("go")
	if err != nil {
		return "", err
	}
	if command, err = filepath.EvalSymlinks(command); err != nil {
		return "", err
	}
	info, err := os.Stat(command)
	if err != nil {
		return "", err
	}
	fmt.Fprintln(sum, command, info.Size(), info.ModTime().UnixNano())
	root := filepath.Dir(filepath.Dir(command))
	settings := []string{filepath.Join(root, "VERSION"), filepath.Join(root, "go.env"), os.Getenv("GOENV")}
	if config, err := os.UserConfigDir(); err == nil {
		settings = append(settings, filepath.Join(config, "go", "env"))
	}
	// The go.work of the directories above a package is found with it; this one is not.
	if work := os.Getenv("GOWORK"); filepath.IsAbs(work) {
		settings = append(settings, work, strings.TrimSuffix(work, ".work")+".work.sum")
	}
	variables := os.Environ()
	slices.Sort(variables)
	for _, v := range variables {
		name, _, _ := strings.Cut(v, "=")
		if strings.HasPrefix(name, "GO") || strings.HasPrefix(name, "CGO") || slices.Contains([]string{"PATH", "HOME", "CC", "CXX"}, name) {
			fmt.Fprintln(sum, v)
		}
	}
	said := []string{os.Getenv("GOFLAGS")}
	for _, path := range settings {
		text, err := os.ReadFile(path)
		if err != nil {
			text = nil
		}
		fmt.Fprintf(sum, "%s %d\n%s\n", path, len(text), text)
		said = append(said, string(text))
	}
	if all := strings.Join(said, "\n"); strings.Contains(all, "-overlay") || strings.Contains(all, "-modfile") || strings.Contains(all, "GOWORK=") {
		return "", errors.New("settings of the go command name files that are not looked at")
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// digest tells what the inputs of a package are, but for the files of outputs.
func (m *memories) digest(inputs []string, outputs map[string]string) (string, error) {
	sum := sha256.New()
	fmt.Fprintln(sum, m.base)
	for i, dir := range inputs {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return "", err
		}
		for _, entry := range entries {
			name := entry.Name()
			if _, ours := outputs[name]; ours && i == 0 || !strings.HasSuffix(name, ".go") || entry.IsDir() {
				continue
			}
			if err := m.file(sum, filepath.Join(dir, name), false); err != nil {
				return "", err
			}
		}
		// Which module the directory belongs to, and what that requires.
		for at := dir; ; at = filepath.Dir(at) {
			for _, name := range []string{"go.mod", "go.sum", "go.work", "go.work.sum", filepath.Join("vendor", "modules.txt")} {
				if err := m.file(sum, filepath.Join(at, name), true); err != nil {
					return "", err
				}
			}
			if filepath.Dir(at) == at {
				break
			}
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

func (m *memories) file(sum io.Writer, path string, maybe bool) error {
	found, known := m.files[path]
	if !known {
		text, err := os.ReadFile(path)
		switch {
		case err == nil:
			found = of(text)
		case !maybe || !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR):
			return err
		}
		m.files[path] = found
	}
	_, err := fmt.Fprintln(sum, path, found)
	return err
}

func of(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

func (m *memories) path(dir string) string {
	return filepath.Join(m.dir, of([]byte(dir))[:32]+".json")
}

// recall returns what is kept of the package in dir, its digest as it is now, and
// whether nothing has changed.
func (m *memories) recall(dir string) (kept memory, now string, unchanged bool) {
	if m.dir == "" {
		return memory{}, "", false
	}
	text, err := os.ReadFile(m.path(dir))
	if err != nil || json.Unmarshal(text, &kept) != nil || len(kept.Inputs) == 0 || kept.Inputs[0] != dir {
		return memory{}, "", false
	}
	now, err = m.digest(kept.Inputs, kept.Outputs)
	if err != nil || now != kept.Digest {
		return kept, now, false
	}
	for name, want := range kept.Outputs {
		if text, err := os.ReadFile(filepath.Join(dir, name)); err != nil || of(text) != want {
			return kept, now, false
		}
	}
	return kept, now, true
}

// keep remembers a run. before and digest are what recall had said.
func (m *memories) keep(dir string, before memory, digest string, inputs []string, outputs map[string]string) {
	if m.dir == "" {
		return
	}
	next := memory{Inputs: inputs, Outputs: outputs}
	if slices.Equal(before.Inputs, inputs) && slices.Equal(slices.Sorted(maps.Keys(before.Outputs)), slices.Sorted(maps.Keys(outputs))) {
		if after, err := m.digest(inputs, outputs); err == nil && after == digest {
			next.Digest = digest
		}
	}
	text, err := json.Marshal(next)
	if err == nil && os.MkdirAll(m.dir, 0o700) == nil {
		_ = os.WriteFile(m.path(dir), text, 0o600) // a cache that cannot be written is none
	}
}

// forget makes what was read of files be read again.
func (m *memories) forget() { clear(m.files) }
