package result_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/esgen/esgen/bench/internal/measure"
	"github.com/esgen/esgen/bench/internal/result"
)

func rates(values ...float64) []result.Sample {
	samples := make([]result.Sample, len(values))
	for i, v := range values {
		// A rate of 1000 has a p50 of a millisecond.
		samples[i] = result.Sample{PerSecond: v, P50: 1e6 / v, P99: 2e6 / v}
	}
	return samples
}

func TestRatioIsHigherIfOursIsBetter(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		of   result.Metric
		us   []result.Sample
		lim  []result.Sample
		want float64
	}{
		{"of rates, ours over the limit's", result.PerSecond, rates(300, 100, 200), rates(400, 400, 100), 0.5},
		{"of latencies, the limit's over ours", result.P50, rates(1000), rates(2000), 0.5},
		{"of tails too", result.P99, rates(3000), rates(1000), 3},
		{"of an even number, between the middle two", result.PerSecond, rates(1, 2, 4, 100), rates(1), 3},
		{"of nothing, nothing", result.PerSecond, rates(1), nil, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			row := result.NewRow("x", "limit", test.of, test.us, test.lim)
			if row.Ratio != test.want {
				t.Errorf("ratio %v, want %v", row.Ratio, test.want)
			}
		})
	}
}

// A reader of the file can check each ratio with the figures beside it.
func TestRowsFiguresAreMediansOfTheirSamples(t *testing.T) {
	t.Parallel()
	row := result.NewRow("x", "limit", result.PerSecond, rates(10, 30, 20), rates(40, 10, 80))
	if row.PerSecond != 20 || row.LimitPerSecond != 40 || row.P50 != 50_000 || row.Ratio != row.PerSecond/row.LimitPerSecond {
		t.Errorf("got %+v", row)
	}
	if got, want := row.Of(result.Ratio), []float64{0.25, 3, 0.25}; !cmp.Equal(got, want) {
		t.Errorf("ratios of the turns %v, want %v", got, want)
	}
}

func TestSampleCountsPerEvent(t *testing.T) {
	t.Parallel()
	r, err := measure.Rounds(context.Background(), []measure.Op{func(context.Context) (int, error) { return 50, nil }}, 2)
	if err != nil {
		t.Fatal(err)
	}
	r.Elapsed, r.Mallocs, r.Bytes = 2*time.Second, 1000, 5000
	got := result.SampleOf(r, measure.Server{WAL: 700, Transactions: 25})
	if got.PerSecond != 50 || got.Allocs != 10 || got.Bytes != 50 || got.WALBytes != 7 || got.Commits != 0.25 {
		t.Errorf("got %+v", got)
	}
}

// Results of years are compared: the names in the file never change.
func TestFileIsStable(t *testing.T) {
	t.Parallel()
	kept := filepath.Join("testdata", "result.json")
	rows, err := result.Read(kept)
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 1 || rows[0].Name != "append/one/w50" || rows[0].Samples[1].WALBytes != 9 || rows[0].More["smaller_share"] != 0.99 {
		t.Fatalf("read %+v", rows)
	}
	again := filepath.Join(t.TempDir(), "made", "result.json")
	if err := result.Write(again, rows); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(kept)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(again)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("written anew (-kept +now):\n%s", diff)
	}
}

func TestNoRowsAreAnEmptyList(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "result.json")
	if err := result.Write(path, nil); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil || string(text) != "[]\n" {
		t.Errorf("%q, %v", text, err)
	}
}

func TestReadSaysWhatIsNoResult(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.json")
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := result.Read(path); err == nil {
		t.Error("no error")
	}
}
