package result_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/esgen/esgen/bench/internal/result"
)

func row(name string, us, lim []result.Sample) result.Row {
	return result.NewRow(name, "limit", result.PerSecond, us, lim)
}

func TestOnlyWhatChanceDoesNotExplainCounts(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name        string
		old, new    []result.Sample
		percent     float64
		significant bool
		better      bool
	}{
		{"apart", rates(100, 101, 102, 103, 104), rates(110, 111, 112.2, 113, 114), 10, true, true},
		{"apart, and worse", rates(110, 111, 112, 113, 114), rates(54, 55, 56, 57, 58), -50, true, false},
		{"mixed", rates(100, 110, 120, 130, 140), rates(105, 115, 125, 135, 145), 0, false, false},
		// Three turns can not show at 0.05 what three others may do by chance.
		{"apart, but few", rates(1, 2, 3), rates(100, 101, 102), 0, false, false},
		{"the same", rates(5, 5, 5, 5, 5), rates(5, 5, 5, 5, 5), 0, false, false},
		{"four suffice", rates(1, 1.1, 1.2, 1.3), rates(2.3, 2.3, 2.3, 2.3), 100, true, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			changes, _, _ := result.Compare([]result.Row{row("x", test.old, nil)}, []result.Row{row("x", test.new, nil)}, result.PerSecond)
			if len(changes) != 1 {
				t.Fatalf("%d changes", len(changes))
			}
			c := changes[0]
			if c.Significant != test.significant || c.Better() != test.better || c.Percent-test.percent > 1e-9 || test.percent-c.Percent > 1e-9 {
				t.Errorf("got %+v, better %t", c, c.Better())
			}
		})
	}
}

func TestLowerLatencyIsBetter(t *testing.T) {
	t.Parallel()
	slow, fast := row("x", rates(1, 1.1, 1.2, 1.3), nil), row("x", rates(2, 2.1, 2.2, 2.3), nil)
	changes, _, _ := result.Compare([]result.Row{slow}, []result.Row{fast}, result.P50)
	if c := changes[0]; !c.Better() || c.Percent >= 0 {
		t.Errorf("got %+v", c)
	}
}

// A busy machine slows both sides of a pair, and their ratio stays.
func TestRatioIsComparedPairByPair(t *testing.T) {
	t.Parallel()
	quiet := row("x", rates(100, 102, 98, 101, 99), rates(200, 204, 196, 202, 198))
	busy := row("x", rates(10, 51, 30, 22, 40), rates(20, 102, 60, 44, 80))
	changes, _, _ := result.Compare([]result.Row{quiet}, []result.Row{busy}, result.PerSecond, result.Ratio)
	if !changes[0].Significant || changes[1].Significant {
		t.Errorf("got %+v", changes)
	}
}

func TestCompareNamesWhatOnlyOneHas(t *testing.T) {
	t.Parallel()
	a, b, c := row("a", rates(1), nil), row("b", rates(1), nil), row("c", rates(1), nil)
	changes, onlyOld, onlyNew := result.Compare([]result.Row{a, b}, []result.Row{b, c}, result.PerSecond)
	if len(changes) != 1 || !slices.Equal(onlyOld, []string{"a"}) || !slices.Equal(onlyNew, []string{"c"}) {
		t.Errorf("%d changes, only old %v, only new %v", len(changes), onlyOld, onlyNew)
	}
}

func TestChangesAreWrittenAsBenchstatWrites(t *testing.T) {
	t.Parallel()
	old := []result.Row{row("up", rates(1, 1.1, 1.2, 1.3), nil), row("same", rates(5, 6, 7, 8), nil), row("few", rates(1), nil)}
	now := []result.Row{row("up", rates(2, 2.2, 2.4, 2.6), nil), row("same", rates(6, 5, 8, 7), nil), row("few", rates(2), nil)}
	changes, _, _ := result.Compare(old, now, result.PerSecond)
	var out strings.Builder
	if err := result.WriteChanges(&out, changes, result.PerSecond); err != nil {
		t.Fatal(err)
	}
	text := strings.Join(strings.Fields(out.String()), " ")
	for _, want := range []string{
		"per_second old new change", "up 1.15 2.30 +100.00% better p=0.029 n=4", "same 6.50 6.50 ~ p=1.000 n=4", "few 1.00 2.00 ~ p=1.000 n=1",
		"geometric mean", "note: need >= 4 samples to detect a difference at alpha level 0.05",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, &out)
		}
	}
}
