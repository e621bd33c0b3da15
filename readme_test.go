package esgen_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/esgen/esgen/internal/pages"
)

const module = "github.com/esgen/esgen"

// TestQuickStart does what the README tells a newcomer to do, with exactly the
// README's text, in an empty directory, against this tree as the published
// module.
func TestQuickStart(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("-short: builds a module of its own")
	}
	env := append(os.Environ(), publish(t)...)
	home := t.TempDir()
	var output, want string
	for _, block := range pages.Open(t, "README.md").Section("Quick start").All() {
		switch text := block.Text; block.Language {
		case "sh":
			// The commands go on where the ones before have ended: in the new directory.
			shell := exec.CommandContext(t.Context(), "bash", "-e", "-u", "-o", "pipefail", "-c", text+"\npwd > "+home+"/.cwd")
			shell.Dir, shell.Env = workingDir(home), env
			var stdout, stderr bytes.Buffer
			shell.Stdout, shell.Stderr = &stdout, &stderr
			if err := shell.Run(); err != nil {
				t.Fatalf("%v in\n%s\n%s%s", err, text, &stdout, &stderr)
			}
			output = stdout.String()
		case "go":
			if err := os.WriteFile(filepath.Join(workingDir(home), "main.go"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		case "text":
			want = text
		}
	}
	if want == "" || output != want {
		t.Errorf("the quick start prints\n%s\nthe README says\n%s", output, want)
	}
}

// TestPagesShowCompiledCode holds that every other Go block of the README, and those
// of the guides, stand in files that are compiled, most of them in tests that run.
func TestPagesShowCompiledCode(t *testing.T) {
	t.Parallel()
	pages.Open(t, "README.md").After("Decide, read, subscribe").Compiled("example/bank/account.go", "example/bank/example_test.go")
	for page, file := range map[string]string{
		"streams": "stream", "transactions": "transaction", "formats": "format", "tenants": "tenant",
		"pgbouncer": "pgbouncer", "upgrading": "upgrade",
	} {
		pages.Open(t, "docs/"+page+".md").Compiled("docs/guides/" + file + "_test.go")
	}
}

// TestPagesShowSQLThatRuns counts the SQL blocks of the guides: tests in docs/guides
// and beside the PostgreSQL store take them from the pages and run them. Whoever adds
// one lets it be run, and counts it here.
func TestPagesShowSQLThatRuns(t *testing.T) {
	t.Parallel()
	guides, err := filepath.Glob("docs/*.md")
	if err != nil || len(guides) == 0 {
		t.Fatalf("%d pages, %v", len(guides), err)
	}
	run := map[string]int{"transactions": 2, "formats": 5, "tenants": 1, "pgbouncer": 1, "backup": 2, "privileges": 3, "subscriptions": 1}
	for _, name := range guides {
		blocks := 0
		for _, b := range pages.Open(t, filepath.ToSlash(name)).All() {
			if b.Language == "sql" {
				blocks++
			}
		}
		if page := strings.TrimSuffix(filepath.Base(name), ".md"); blocks != run[page] {
			t.Errorf("%s has %d blocks of SQL, of which tests run %d", name, blocks, run[page])
		}
	}
}

func workingDir(home string) string {
	if cwd, err := os.ReadFile(filepath.Join(home, ".cwd")); err == nil {
		return strings.TrimSpace(string(cwd))
	}
	return home
}

// publish offers this tree as the newest version of the module, in front of the
// usual proxies, and returns the environment that makes the go command see it.
// The version holds a hash of the tree, so that a cached older one is not used.
func publish(t *testing.T) []string {
	t.Helper()
	var archive bytes.Buffer
	hash := sha256.New()
	files := map[string][]byte{}
	err := fs.WalkDir(os.DirFS("."), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && name != "." && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "bin"):
			return fs.SkipDir
		case !entry.Type().IsRegular():
			return nil
		}
		data, err := os.ReadFile(name)
		files[name] = data
		fmt.Fprintf(hash, "%s %x\n", name, sha256.Sum256(data))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	version := "v0.0.0-20260101000000-" + hex.EncodeToString(hash.Sum(nil))[:12]
	zipped := zip.NewWriter(&archive)
	for name, data := range files {
		w, err := zipped.Create(path.Join(module+"@"+version, name))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(w, bytes.NewReader(data)); err != nil {
			t.Fatal(err)
		}
	}
	if err := zipped.Close(); err != nil {
		t.Fatal(err)
	}

	proxy := t.TempDir()
	versions := filepath.Join(proxy, filepath.FromSlash(module), "@v")
	if err := os.MkdirAll(versions, 0o700); err != nil {
		t.Fatal(err)
	}
	info := fmt.Sprintf(`{"Version":%q,"Time":"2026-01-01T00:00:00Z"}`, version)
	for name, data := range map[string][]byte{
		"list":            nil,
		"../@latest":      []byte(info),
		version + ".info": []byte(info),
		version + ".mod":  files["go.mod"],
		version + ".zip":  archive.Bytes(),
	} {
		if err := os.WriteFile(filepath.Join(versions, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { forget(t, version) })
	return []string{
		"GOPROXY=file://" + filepath.ToSlash(proxy) + "," + goEnv(t, "GOPROXY"),
		"GONOSUMDB=" + module,
		"GOFLAGS=-modcacherw",
		"GOWORK=off",
	}
}

// forget removes the version from the module cache.
func forget(t *testing.T, version string) {
	cache := goEnv(t, "GOMODCACHE")
	stale, _ := filepath.Glob(filepath.Join(cache, "cache", "download", module, "@v", version+".*"))
	for _, name := range append(stale, filepath.Join(cache, module+"@"+version)) {
		if err := os.RemoveAll(name); err != nil {
			t.Log(err)
		}
	}
}

func goEnv(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.Command("go", "env", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}
