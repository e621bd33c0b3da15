package result

import (
	"fmt"
	"io"
	"math"
	"slices"
	"text/tabwriter"

	"golang.org/x/perf/benchmath"
)

// Change is how a figure of a row differs between two results.
type Change struct {
	Name     string
	Metric   Metric
	Old, New float64 // medians
	// Percent is by how much New differs; 0 if the difference is not significant.
	Percent float64
	// Significant tells that chance does not explain the difference, by the rules
	// of benchstat: Mann and Whitney's U test, p below 0.05.
	Significant bool
	P           float64
	// Samples of the old and of the new result.
	N1, N2 int
	// Warnings say what the numbers cannot tell.
	Warnings []string
}

// Better tells whether a significant change is for the better.
func (c Change) Better() bool {
	up := c.Metric == PerSecond || c.Metric == Ratio
	return c.Significant && c.Percent != 0 && up == (c.Percent > 0)
}

// Compare compares the rows that are in both results, in the order of the new
// one, by each metric. Names lists the rows that only one of them has.
func Compare(before, after []Row, metrics ...Metric) (changes []Change, onlyOld, onlyNew []string) {
	old := make(map[string]Row, len(before))
	for _, r := range before {
		old[r.Name] = r
	}
	for _, r := range after {
		was, ok := old[r.Name]
		if !ok {
			onlyNew = append(onlyNew, r.Name)
			continue
		}
		delete(old, r.Name)
		for _, m := range metrics {
			changes = append(changes, change(r.Name, m, was.Of(m), r.Of(m)))
		}
	}
	for _, r := range before {
		if _, left := old[r.Name]; left {
			onlyOld = append(onlyOld, r.Name)
		}
	}
	return changes, onlyOld, onlyNew
}

func change(name string, m Metric, before, after []float64) Change {
	c := Change{Name: name, Metric: m, Old: Median(before), New: Median(after), N1: len(before), N2: len(after), P: 1}
	if len(before) == 0 || len(after) == 0 {
		c.Warnings = append(c.Warnings, "no samples")
		return c
	}
	// NewSample sorts what it is given.
	thresholds := benchmath.DefaultThresholds
	one := benchmath.NewSample(slices.Clone(before), &thresholds)
	two := benchmath.NewSample(slices.Clone(after), &thresholds)
	test := benchmath.AssumeNothing.Compare(one, two)
	c.P = test.P
	for _, w := range test.Warnings {
		c.Warnings = append(c.Warnings, w.Error())
	}
	c.Significant = test.P <= test.Alpha && c.Old != c.New
	if c.Significant && c.Old != 0 {
		c.Percent = 100 * (c.New/c.Old - 1)
	}
	return c
}

// WriteChanges writes changes for a terminal, a table per metric as benchstat does.
func WriteChanges(w io.Writer, changes []Change, metrics ...Metric) error {
	warnings := make(map[string]bool)
	for _, m := range metrics {
		t := tabwriter.NewWriter(w, 10, 0, 2, ' ', tabwriter.AlignRight)
		_, _ = fmt.Fprintf(t, "%-26s\told\tnew\tchange\t\t\n", m)
		var logs float64
		var n int
		for _, c := range changes {
			if c.Metric != m {
				continue
			}
			if c.Old > 0 && c.New > 0 {
				logs += math.Log(c.New / c.Old)
				n++
			}
			_, _ = fmt.Fprintf(t, "%-26s\t%s\t%s\t%s\t%s\t\n", c.Name, Short(c.Old), Short(c.New), c.delta(), c.test())
			for _, text := range c.Warnings {
				warnings[text] = true
			}
		}
		if n > 0 {
			_, _ = fmt.Fprintf(t, "%-26s\t\t\t%+.2f%%\t\t\n", "geometric mean", 100*(math.Exp(logs/float64(n))-1))
		}
		if err := t.Flush(); err != nil {
			return err
		}
		_, _ = fmt.Fprintln(w)
	}
	texts := make([]string, 0, len(warnings))
	for text := range warnings {
		texts = append(texts, text)
	}
	slices.Sort(texts)
	for _, text := range texts {
		_, _ = fmt.Fprintln(w, "note:", text)
	}
	return nil
}

// delta is the change as benchstat writes it: ~ if there is none that counts.
func (c Change) delta() string {
	switch {
	case c.N1 == 0 || c.N2 == 0:
		return "?"
	case !c.Significant:
		return "~"
	case c.Old == 0:
		return "from 0"
	case c.Better():
		return fmt.Sprintf("%+.2f%% better", c.Percent)
	default:
		return fmt.Sprintf("%+.2f%% worse", c.Percent)
	}
}

func (c Change) test() string {
	return benchmath.Comparison{P: c.P, N1: c.N1, N2: c.N2}.String()
}
