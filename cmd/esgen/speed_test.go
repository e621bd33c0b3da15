package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

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

// BenchmarkRun is a whole run of the command on 500 events, process start
// included: first without a generated file, then with an edit before each run,
// then with nothing to do. The limits are 600, 600 and 300 ms.
func BenchmarkRun(b *testing.B) {
	dir := large(b, 500)
	binary := filepath.Join(b.TempDir(), "esgen")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	esgen := func(b *testing.B) {
		cmd := exec.Command(binary)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
	}
	generated, source := filepath.Join(dir, "shop.es.go"), filepath.Join(dir, "event.go")
	esgen(b) // warms the build cache
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			if err := os.Remove(generated); err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
			esgen(b)
		}
	})
	b.Run("edited", func(b *testing.B) {
		text := events(500)
		for i := 0; b.Loop(); i++ {
			b.StopTimer()
			edited := strings.Replace(text, "Note ", fmt.Sprintf("Note%d ", i), 1)
			if err := os.WriteFile(source, []byte(edited), 0o600); err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
			esgen(b)
		}
	})
	b.Run("unchanged", func(b *testing.B) {
		for b.Loop() {
			esgen(b)
		}
	})
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
