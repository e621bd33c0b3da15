package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/esgen/esgen/bench/internal/result"
	"github.com/esgen/esgen/internal/pgtest"
)

// TestMain lets the test program be the process that a bench starts to measure in.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "work" {
		main()
	}
	goleak.VerifyTestMain(m)
}

// Names are compared over years and named in documents.
func TestNames(t *testing.T) {
	t.Parallel()
	var names, quickly []string
	for _, b := range catalog() {
		for _, name := range slices.Concat(b.names, b.beside) {
			if slices.Contains(names, name) {
				t.Errorf("%s is there twice", name)
			}
			names = append(names, name)
		}
		if b.quick {
			quickly = append(quickly, b.names...)
		}
	}
	want := []string{
		"append/batch100/w10", "append/one/w10", "append/one/w50", "append/one/w200", "append/one/w1", "append/two/w25",
		"read/stream100/r1", "read/stream100/r10", "read/all/100k",
	}
	if !slices.Equal(quickly, want) {
		t.Errorf("the quick rows are %v, want %v", quickly, want)
	}
	for _, name := range []string{
		"read/all/1m", "append/one/10m", "append/one/10m/v4", "append/one/open-tx", "append/one/snapshot", "append/one/w50/ungrouped",
		"append/existing/w200", "append/hot/w200", "append/tx/w10", "append/json/w10", "append/jsonb/w10", "append/msgpack/w10",
		"append/one/1m", "elixir/append/c50", "elixir/read/c20", "elixir/subscribe/c1/every100", "elixir/subscribe/c50",
	} {
		if !slices.Contains(names, name) {
			t.Errorf("%s is missing", name)
		}
	}
}

func TestChosen(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		run   string
		quick bool
		want  int
	}{
		{"^append/one/w50$", false, 1},
		{"^append/one/w50/ungrouped$", true, 1},
		{"read/all", false, 2},
		{"read/all", true, 1},
		{"append/one/10m", true, 0},
		{"nothing", false, 0},
	} {
		if got := len(chosen(catalog(), regexp.MustCompile(test.run), test.quick)); got != test.want {
			t.Errorf("%s, quick %t: %d, want %d", test.run, test.quick, got, test.want)
		}
	}
}

// What the sizes in the names of the Elixir benchmarks promise.
func TestElixirSizes(t *testing.T) {
	t.Parallel()
	p := elixirPayload()
	if len(p.Data) != 68 || len(p.Metadata) != 36 || len(p.Type) != 36 {
		t.Errorf("%d bytes of data, %d of metadata, %d of type; want 68, 36, 36", len(p.Data), len(p.Metadata), len(p.Type))
	}
}

func runAll(t *testing.T, args ...string) []result.Row {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out", "latest.json")
	args = append([]string{"run", "-dsn", pgtest.URL(t), "-o", out, "-rounds", "1", "-length", "150ms", "-long", "300ms"}, args...)
	if err := command(t.Context(), args, strings.NewReader(""), io.Discard); err != nil {
		t.Fatal(err)
	}
	rows, err := result.Read(out)
	if err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(filepath.Dir(out))
	if err != nil || len(files) != 3 {
		t.Errorf("%d files, %v; want the result, its copy and the page", len(files), err)
	}
	return rows
}

// Every kind of row once, as short as can be: that it measures both sides, and
// leaves nothing in the database.
func TestRowsMeasureBothSides(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: measures for some seconds")
	}
	names := []string{
		"append/batch100/w10", "append/batch100/w10/bytes", "append/one/w10", "append/one/w10/ungrouped", "append/one/w1", "append/two/w25",
		"read/stream100/r1", "read/stream100/r10", "append/one/open-tx", "append/one/snapshot", "append/one/100k", "append/one/100k/v4",
		"append/existing/w10", "append/hot/w10", "append/tx/w10", "append/jsonb/w10", "append/msgpack/w10",
		"elixir/subscribe/c1/every100",
	}
	rows := runAll(t, "-run", "^("+strings.Join(names, "|")+")$")
	got := make([]string, 0, len(rows))
	for _, r := range rows {
		got = append(got, r.Name)
		if r.PerSecond <= 0 || r.LimitPerSecond <= 0 || r.Ratio <= 0 || r.P50 <= 0 || r.P99 < r.P50 || r.P999 < r.P99 || r.LimitP50 <= 0 ||
			r.Allocs < 0 || r.Bytes <= 0 || r.Limit == "" || !strings.Contains(r.On, "PostgreSQL") || len(r.Samples) == 0 || len(r.LimitSamples) == 0 {
			t.Errorf("%s: %+v", r.Name, r)
		}
		if strings.HasPrefix(r.Name, "append/") && r.WALBytes <= 0 {
			t.Errorf("%s writes no log", r.Name)
		}
	}
	slices.Sort(got)
	slices.Sort(names)
	if !slices.Equal(got, names) {
		t.Errorf("rows %v\nwant %v", got, names)
	}
	var left int
	pool := pgtest.Pool(t)
	if err := pool.QueryRow(t.Context(), "SELECT count(*) FROM pg_namespace WHERE starts_with(nspname, $1)", schemaPrefix()).Scan(&left); err != nil || left > 0 {
		t.Errorf("%d schemas are left, %v", left, err)
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		nil, {"fly"}, {"run", "-run", "("}, {"run", "-run", "nothing"}, {"run", "-fast"}, {"compare", "one"}, {"report", "a", "b"},
	} {
		err := command(t.Context(), args, strings.NewReader(""), io.Discard)
		if _, ok := errors.AsType[usageError](err); !ok {
			t.Errorf("%v: %v is no error of usage", args, err)
		}
	}
	for _, args := range [][]string{{"-h"}, {"help"}, {"run", "-h"}} {
		var out strings.Builder
		if err := command(context.Background(), args, strings.NewReader(""), &out); err != nil || !strings.HasPrefix(out.String(), "Bench measures") {
			t.Errorf("%v: %v, %.30s", args, err, &out)
		}
	}
}

func TestCompareAndReport(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, on string, rates ...float64) string {
		samples, limits := make([]result.Sample, 0, len(rates)), make([]result.Sample, 0, len(rates))
		for _, rate := range rates {
			samples, limits = append(samples, result.Sample{PerSecond: rate}), append(limits, result.Sample{PerSecond: 100})
		}
		row := result.NewRow("append/one/w50", "INSERT", result.PerSecond, samples, limits)
		row.On = on
		path := filepath.Join(dir, name)
		if err := result.Write(path, []result.Row{row}); err != nil {
			t.Fatal(err)
		}
		return path
	}
	old, now := write("old.json", "here", 100, 101, 102, 103), write("new.json", "there", 50, 51, 52, 53)
	compare := func(args ...string) (string, error) {
		var out strings.Builder
		err := command(t.Context(), append([]string{"compare"}, args...), strings.NewReader(""), &out)
		return out.String(), err
	}
	text, err := compare(old, now)
	if err != nil || !strings.Contains(text, "worse  p=0.029 n=4") || !strings.Contains(text, "different machines") {
		t.Errorf("%v\n%s", err, text)
	}
	if _, err := compare("-fail", old, now); err == nil || !strings.Contains(err.Error(), "append/one/w50") {
		t.Errorf("-fail: %v", err)
	}
	if _, err := compare("-fail", now, old); err != nil {
		t.Errorf("-fail, but better: %v", err)
	}
	page := filepath.Join(dir, "page.html")
	if err := command(t.Context(), []string{"report", "-o", page, now}, strings.NewReader(""), io.Discard); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(page); err != nil || !strings.Contains(string(text), "append/one/w50") {
		t.Errorf("the page: %v", err)
	}
}
