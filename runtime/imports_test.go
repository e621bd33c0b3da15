package runtime_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/esgen/esgen"

// tops are the module's folders: what begins with one is a package of ours, in
// this table, not of the standard library.
var tops = []string{"runtime", "internal", "cmd", "templates", "example", "bench", "docs"}

// path returns the import path of what a row names.
func path(row string) string {
	top, _, _ := strings.Cut(row, "/")
	if slices.Contains(tops, top) {
		return module + "/" + row
	}
	return row
}

// links is what a package may link beside the standard library and itself. "…"
// at the end stands for all packages below.
var links = map[string][]string{
	"internal/jsontext":    {},
	"internal/pages":       {},
	"internal/printable":   {},
	"runtime/typeregistry": {},
	"templates":            {"github.com/dave/jennifer/…"},
	"runtime/store":        {"internal/jsontext", "internal/printable", "github.com/google/uuid"},
	"runtime/serializer": {
		"internal/jsontext",
		"github.com/goccy/go-json/…",
		"github.com/vmihailenco/msgpack/v5/…", "github.com/vmihailenco/tagparser/v2/…",
	},
	"runtime/subscribe":       {"runtime/store"},
	"runtime":                 {"runtime/typeregistry", "runtime/serializer", "runtime/store", "runtime/subscribe"},
	"runtime/estest":          {"github.com/google/go-cmp/…"},
	"runtime/internal/bank":   {"runtime"},
	"runtime/store/memory":    {"runtime/store"},
	"runtime/store/storetest": {"runtime/store", "github.com/google/go-cmp/…"},
	"runtime/store/storetest/history": {
		"runtime/store", "github.com/anishathalye/porcupine", "golang.org/x/sys/unix",
	},
	"runtime/serializer/serializertest": {
		"runtime/serializer", "github.com/google/go-cmp/…", "github.com/google/uuid",
	},
	"runtime/store/sqlite": {
		"runtime/store",
		"modernc.org/…", "github.com/dustin/go-humanize", "github.com/remyoudompheng/bigfft", "golang.org/x/sys/unix",
	},
	"runtime/store/postgres": {
		"runtime/store",
		"github.com/jackc/…", "golang.org/x/sync/semaphore", "golang.org/x/text/…",
	},
	"runtime/store/jetstream": {"runtime/store", "github.com/nats-io/…", "github.com/klauspost/compress/…", "golang.org/x/…"},
	// The API of OpenTelemetry; its SDK is the program's to choose.
	"runtime/esotel": {
		"runtime/store", "runtime/subscribe",
		"go.opentelemetry.io/otel", "go.opentelemetry.io/otel/attribute/…", "go.opentelemetry.io/otel/baggage/…",
		"go.opentelemetry.io/otel/codes", "go.opentelemetry.io/otel/internal/…", "go.opentelemetry.io/otel/log/…",
		"go.opentelemetry.io/otel/metric/…", "go.opentelemetry.io/otel/propagation/…", "go.opentelemetry.io/otel/semconv/…",
		"go.opentelemetry.io/otel/trace/…", "go.opentelemetry.io/auto/sdk/…",
		"github.com/go-logr/…", "github.com/cespare/xxhash/v2",
	},
	"internal/pgtest":         {"github.com/jackc/…", "golang.org/x/sync/semaphore", "golang.org/x/text/…", "github.com/fergusstrange/embedded-postgres", "github.com/lib/pq/…", "github.com/xi2/xz"},
	"internal/pgtest/pgproxy": {"github.com/jackc/…", "golang.org/x/text/…"},
	// The limits of the measurements stand on PostgreSQL and pgx alone.
	"bench/limit":             {"github.com/jackc/…", "golang.org/x/sync/semaphore", "golang.org/x/text/…", "github.com/google/uuid"},
	"bench/internal/measure":  {"github.com/HdrHistogram/hdrhistogram-go", "github.com/jackc/…", "golang.org/x/text/…"},
	"bench/internal/result":   {"bench/internal/measure", "golang.org/x/perf/…", "github.com/aclements/go-moremath/…"},
	"bench/internal/report":   {"bench/internal/result", "github.com/go-analyze/…", "github.com/golang/freetype/…", "golang.org/x/image/…", "github.com/dustin/go-humanize"},
	"bench/internal/server":   {"github.com/jackc/…", "golang.org/x/text/…"},
	"bench/internal/purse":    {"runtime"},
	"cmd/esgen/internal/scan": {"templates", "golang.org/x/tools/…"},
	"cmd/esgen/internal/lock": {"templates"},
	"cmd/esctl": {
		"runtime/subscribe", "runtime/store/postgres", "runtime/store/sqlite",
		"golang.org/x/term", "golang.org/x/sys/…", "github.com/schollz/progressbar/v3/…", "github.com/mitchellh/colorstring", "github.com/rivo/uniseg",
	},
	"cmd/esgen": {"cmd/esgen/internal/scan", "cmd/esgen/internal/lock", "templates", "github.com/rogpeppe/go-internal/diff"},
}

// coming are rows of the table whose packages need not exist yet.
var coming = []string{"runtime/store/jetstream", "cmd/esgen/internal/lock"}

// importers are the only packages that may import these, in files that are no
// tests; programs says that programs may, too.
var importers = []struct {
	imported string
	by       []string
	programs bool
}{
	{"github.com/jackc/…", []string{"runtime/store/postgres/…", "internal/pgtest/…", "bench/limit", "bench/internal/measure", "bench/internal/server"}, true},
	{"modernc.org/…", []string{"runtime/store/sqlite"}, false},
	{"github.com/dave/jennifer/…", []string{"templates"}, false},
	{"golang.org/x/tools/…", []string{"cmd/esgen/internal/scan"}, false},
	{"github.com/goccy/go-json/…", []string{"runtime/serializer/…"}, true},
	{"github.com/vmihailenco/…", []string{"runtime/serializer/…"}, true},
	{"github.com/nats-io/…", []string{"runtime/store/jetstream"}, true},
	{"go.opentelemetry.io/…", []string{"runtime/esotel"}, true},
	{"github.com/fergusstrange/embedded-postgres", []string{"internal/pgtest"}, false},
	{"github.com/anishathalye/porcupine", []string{"runtime/store/storetest/history"}, false},
	{"github.com/HdrHistogram/…", []string{"bench/internal/measure"}, true},
	{"golang.org/x/perf/…", []string{"bench/internal/result"}, false},
	{"github.com/go-analyze/…", []string{"bench/internal/report"}, false},
	{"testing", []string{
		"runtime/store/storetest", "runtime/serializer/serializertest", "runtime/estest", "internal/pgtest", "internal/pages",
		"example/bank/internal/banktest",
	}, false},
}

// tests are for tests only: no program links them.
var tests = []string{
	"testing", "testing/…", "go.uber.org/goleak/…", "github.com/google/go-cmp/…", "pgregory.net/rapid",
	"github.com/fergusstrange/embedded-postgres", "github.com/nats-io/nats-server/…",
	"github.com/anishathalye/porcupine",
	"runtime/store/storetest/…", "runtime/serializer/serializertest", "runtime/estest", "internal/pgtest/…", "internal/pages",
}

type listed struct {
	ImportPath string   `json:"ImportPath"`
	Name       string   `json:"Name"`
	Standard   bool     `json:"Standard"`
	Imports    []string `json:"Imports"`
	Deps       []string `json:"Deps"`
}

// program reports whether p is one.
func (p listed) program() bool { return p.Name == "main" }

// list returns the packages of the module and all that they link, by import path.
func list(t *testing.T) (ours, all map[string]listed) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-e", "-deps", "-json=ImportPath,Name,Standard,Imports,Deps", module+"/...")
	out, err := cmd.Output()
	if err != nil {
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			t.Fatalf("%s: %v\n%s", cmd, err, exit.Stderr)
		}
		t.Fatalf("%s: %v", cmd, err)
	}
	ours, all = make(map[string]listed), make(map[string]listed)
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return ours, all
		} else if err != nil {
			t.Fatal(err)
		}
		all[p.ImportPath] = p
		if strings.HasPrefix(p.ImportPath, module) {
			ours[p.ImportPath] = p
		}
	}
}

// matches reports whether an import path is that of one of rows.
func matches(importPath string, rows []string) bool {
	return slices.ContainsFunc(rows, func(row string) bool {
		above, below := strings.CutSuffix(path(row), "/…")
		return importPath == above || below && strings.HasPrefix(importPath, above+"/")
	})
}

func TestPackagesLinkOnlyWhatTheyMay(t *testing.T) {
	t.Parallel()
	ours, all := list(t)
	for name, may := range links {
		p, ok := ours[path(name)]
		if !ok {
			if !slices.Contains(coming, name) {
				t.Errorf("%s is in the table but not in the module", name)
			}
			continue
		}
		for _, dep := range p.Deps {
			if all[dep].Standard || matches(dep, allowed(may)) {
				continue
			}
			t.Errorf("%s links %s; it may link %s", name, dep, strings.Join(may, ", "))
		}
	}
	for _, name := range coming {
		if _, ok := links[name]; !ok {
			t.Errorf("%s is coming, but has no row in the table", name)
		}
	}
}

// allowed adds what the allowed packages of ours may link.
func allowed(may []string) []string {
	all := slices.Clone(may)
	for _, name := range may {
		all = append(all, allowed(links[name])...)
	}
	return all
}

func TestPackagesAreImportedOnlyByThoseThatMay(t *testing.T) {
	t.Parallel()
	ours, _ := list(t)
	for _, rule := range importers {
		imported := 0
		for name, p := range ours {
			for _, dep := range p.Imports {
				if !matches(dep, []string{rule.imported}) {
					continue
				}
				imported++
				if !matches(name, rule.by) && (!rule.programs || !p.program()) {
					t.Errorf("%s imports %s; only %s may (and programs: %t)", name, dep, strings.Join(rule.by, ", "), rule.programs)
				}
			}
		}
		if imported == 0 && !slices.ContainsFunc(rule.by, func(by string) bool { return slices.Contains(coming, by) }) {
			t.Errorf("nobody imports %s: the rule holds nothing", rule.imported)
		}
	}
}

func TestProgramsLinkNoTests(t *testing.T) {
	t.Parallel()
	ours, _ := list(t)
	programs := 0
	for name, p := range ours {
		if !p.program() {
			continue
		}
		programs++
		for _, dep := range p.Deps {
			if matches(dep, tests) {
				t.Errorf("the program %s links %s", name, dep)
			}
		}
	}
	if programs == 0 {
		t.Error("no programs: the rule holds nothing")
	}
}

// A program links the stores that it names, and the generator names no runtime.
func TestWhoNeverMeets(t *testing.T) {
	t.Parallel()
	ours, _ := list(t)
	all := slices.Sorted(maps.Keys(ours))
	below := func(tops ...string) []string {
		var names []string
		for _, name := range all {
			if matches(name, tops) {
				names = append(names, name)
			}
		}
		return names
	}
	stores := []string{"runtime/store/memory/…", "runtime/store/sqlite/…", "runtime/store/postgres/…", "runtime/store/jetstream/…"}
	never := func(whos []string, what ...string) {
		t.Helper()
		if len(whos) == 0 {
			t.Errorf("nobody there that could link %s", strings.Join(what, ", "))
		}
		for _, who := range whos {
			for _, dep := range ours[who].Deps {
				if matches(dep, what) {
					t.Errorf("%s links %s", who, dep)
				}
			}
		}
	}
	for i, one := range stores {
		if names := below(one); len(names) > 0 {
			never(names, slices.Concat(stores[:i], stores[i+1:])...)
		}
	}
	never(below("runtime", "runtime/subscribe", "runtime/serializer", "runtime/typeregistry", "runtime/store"), stores...)
	never(below("templates/…", "cmd/esgen/…"), "runtime/…")
	never(below("runtime/…"), "templates/…", "cmd/…", "example/…", "bench/…", "docs/…")
}
