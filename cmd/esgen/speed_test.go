package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/esgen/esgen/cmd/esgen/internal/scan"
	"github.com/esgen/esgen/templates"
)

// large writes a module with n events into a new directory. Its package imports
// what large packages import, for the imports are most of the time.
func large(b *testing.B, n int) string {
	b.Helper()
	dir := b.TempDir()
	root := repository(b)
	files := map[string]string{
		"go.mod": "module example.com/shop\n\ngo 1.26.0\n\nrequire github.com/google/uuid v1.6.0\n",
		"app.go": "package shop\n\nimport (\n\t\"database/sql\"\n\t\"net/http\"\n)\n\n" +
			"type App struct {\n\tDB  *sql.DB\n\tMux *http.ServeMux\n}\n\nvar _ Handler = Ignore{}\n",
		"event.go": events(n),
	}
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		b.Fatal(err)
	}
	files["go.sum"] = string(sum)
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	return dir
}

func events(n int) string {
	var text strings.Builder
	text.WriteString("package shop\n\nimport (\n\t\"time\"\n\n\t\"github.com/google/uuid\"\n)\n\n" +
		"type Address struct{ Street, City string }\n")
	for i := range n {
		fmt.Fprintf(&text, `
// Event%[1]d says that something happened in the shop.
//
//esgen:event name=shop.event_%[1]d
type Event%[1]d struct {
	ID      uuid.UUID         %[2]sjson:"id"%[2]s
	Name    string            %[2]sjson:"name"%[2]s
	Amount  int64             %[2]sjson:"amount,omitempty"%[2]s
	At      time.Time         %[2]sjson:"at"%[2]s
	Ship    Address           %[2]sjson:"ship"%[2]s
	Labels  map[string]string %[2]sjson:"labels"%[2]s
	Lines   []struct{ N int } %[2]sjson:"lines"%[2]s
	Note    *string           %[2]sjson:"note"%[2]s
}
`, i, "`")
	}
	return text.String()
}

// built is the command, with a cache of its own.
func built(b *testing.B) (run func(b *testing.B, dir string, args ...string) *os.ProcessState) {
	b.Helper()
	binary := filepath.Join(b.TempDir(), "esgen")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	cache := b.TempDir()
	return func(b *testing.B, dir string, args ...string) *os.ProcessState {
		b.Helper()
		cmd := exec.Command(binary, args...)
		if len(args) > 0 && args[0] == "go" {
			cmd = exec.Command("go", args[1:]...)
		}
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "XDG_CACHE_HOME="+cache, "ESGEN="+binary)
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
		return cmd.ProcessState
	}
}

// BenchmarkRun is a whole run of the command on 500 events, process start
// included: first without a generated file, then with an edit before each run,
// then the same through go generate, then with nothing to do. The aims are 300,
// 300, 450 and 120 ms, and 150 MB.
func BenchmarkRun(b *testing.B) {
	esgen := built(b)
	for _, codec := range []string{"", "msgpack"} {
		dir := large(b, 500)
		generated, source := filepath.Join(dir, "shop.es.go"), filepath.Join(dir, "event.go")
		text := events(500)
		if codec != "" {
			text = "//esgen:package msgpack=generated\n" + text
			codec = "_" + codec
		}
		text = "//go:generate $ESGEN\n\n" + text
		edit := func(i int) {
			edited := strings.Replace(text, "Note ", fmt.Sprintf("Note%d ", i), 1)
			if err := os.WriteFile(source, []byte(edited), 0o600); err != nil {
				b.Fatal(err)
			}
		}
		edit(0)
		esgen(b, dir) // warms the build cache
		b.Run("first"+codec, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				if err := os.Remove(generated); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
				esgen(b, dir)
			}
		})
		for name, args := range map[string][]string{"edited": nil, "edited_generate": {"go", "generate"}} {
			b.Run(name+codec, func(b *testing.B) {
				peak := int64(0)
				for i := 1; b.Loop(); i++ {
					b.StopTimer()
					edit(i)
					b.StartTimer()
					peak = max(peak, held(esgen(b, dir, args...)))
				}
				b.ReportMetric(float64(peak)/1e6, "MB-peak")
			})
		}
		b.Run("unchanged"+codec, func(b *testing.B) {
			esgen(b, dir)
			esgen(b, dir)
			for b.Loop() {
				esgen(b, dir)
			}
		})
	}
}

// BenchmarkFifty is one run on a module of 50 packages with 10 events each, all of
// which have changed, and again when none has. go_list is what the go command takes
// of it.
func BenchmarkFifty(b *testing.B) {
	esgen := built(b)
	root := large(b, 1)
	dirs := make([]string, 50)
	for i := range dirs {
		dirs[i] = filepath.Join(root, fmt.Sprintf("shop%d", i))
		if err := os.Mkdir(dirs[i], 0o700); err != nil {
			b.Fatal(err)
		}
	}
	edit := func(n int) {
		for _, dir := range dirs {
			text := strings.Replace(events(10), "Note ", fmt.Sprintf("Note%d ", n), 1)
			if err := os.WriteFile(filepath.Join(dir, "event.go"), []byte(text), 0o600); err != nil {
				b.Fatal(err)
			}
		}
	}
	edit(0)
	esgen(b, root, "./...")
	b.Run("edited", func(b *testing.B) {
		for i := 1; b.Loop(); i++ {
			b.StopTimer()
			edit(i)
			b.StartTimer()
			esgen(b, root, "./...")
		}
	})
	b.Run("unchanged", func(b *testing.B) {
		esgen(b, root, "./...")
		esgen(b, root, "./...")
		for b.Loop() {
			esgen(b, root, "./...")
		}
	})
}

// BenchmarkCompile is how long the compiler takes for a package of 500 events alone,
// with its streams, and with its codecs, too. Only the package itself is compiled
// anew. The aim for the streams is one second more. On a busy machine read cpu-s,
// the processor time of go build and of the compiler under it.
func BenchmarkCompile(b *testing.B) {
	esgen := built(b)
	for _, form := range []string{"alone", "streams", "streams_msgpack"} {
		dir := large(b, 500)
		text := events(500)
		if form == "streams_msgpack" {
			text = "//esgen:package msgpack=generated\n" + text
		}
		write := func(name, text string) {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				b.Fatal(err)
			}
		}
		write("event.go", text)
		write("go.mod", "module example.com/shop\n\ngo 1.26.0\n\nrequire (\n\tgithub.com/esgen/esgen v0.0.0\n\tgithub.com/google/uuid v1.6.0\n)\n\n"+
			"replace github.com/esgen/esgen => "+repository(b)+"\n")
		if form == "alone" {
			write("app.go", "package shop\n")
		} else {
			esgen(b, dir)
		}
		esgen(b, dir, "go", "build", "-mod=mod", ".")
		b.Run(form, func(b *testing.B) {
			var busy time.Duration
			for i := 0; b.Loop(); i++ {
				b.StopTimer()
				write("edit.go", fmt.Sprintf("package shop\n\nconst edit = %d\n", i))
				b.StartTimer()
				state := esgen(b, dir, "go", "build", "-mod=mod", ".")
				busy += state.UserTime() + state.SystemTime()
			}
			b.ReportMetric(busy.Seconds()/float64(b.N), "cpu-s/op")
		})
	}
}

// BenchmarkSteps tells where the time of a run goes.
func BenchmarkSteps(b *testing.B) {
	dir := large(b, 500)
	packages, err := scan.Packages(b.Context(), []string{dir})
	if err != nil || len(packages[0].Problems) > 0 {
		b.Fatal(err, packages[0].Problems)
	}
	b.Run("scan", func(b *testing.B) {
		for b.Loop() {
			if _, err := scan.Packages(b.Context(), []string{dir}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("render", func(b *testing.B) {
		for b.Loop() {
			text, err := templates.Render(*packages[0].Model)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(text)))
		}
	})
	b.Run("go_list", func(b *testing.B) {
		for b.Loop() {
			cmd := exec.Command("go", "list", "-e", "-export", "-json=ImportPath,Export", "--",
				"database/sql", "net/http", "time", "github.com/google/uuid")
			cmd.Dir = dir
			cmd.Stdout = io.Discard
			if err := cmd.Run(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
