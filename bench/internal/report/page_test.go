package report_test

import (
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/esgen/esgen/bench/internal/report"
	"github.com/esgen/esgen/bench/internal/result"
)

func rows() []result.Row {
	samples := []result.Sample{{PerSecond: 1234567, P50: 1500, P99: 4200, P999: 9000, Allocs: 12.34}}
	limits := []result.Sample{{PerSecond: 2469134, P50: 700, P99: 2000}}
	one := result.NewRow("append/one/w50", "INSERT", result.PerSecond, samples, limits)
	one.AtLeast, one.On = 1.6, "2 cores"
	two := result.NewRow("read/<script>", "SELECT", result.PerSecond, samples, limits)
	two.On, two.More = "2 cores", map[string]float64{"allocated_over_bytes": 1.25}
	return []result.Row{one, two}
}

func page(t *testing.T, rows []result.Row) string {
	t.Helper()
	var out strings.Builder
	if err := report.Write(&out, rows); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestPageShowsEachRow(t *testing.T) {
	t.Parallel()
	text := page(t, rows())
	for _, want := range []string{
		"<h2>append</h2>", "<h2>read</h2>", "<td>1 234 567<td>2 469 134<td>0.50<td>1.60<td>1.50<td>4.20<td>9.00", `class="below"`,
		"allocated_over_bytes: 1.25", "2 cores",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not there", want)
		}
	}
	if n := strings.Count(text, `class="below"`); n != 1 {
		t.Errorf("%d rows are below what is aimed at, want 1", n)
	}
	if strings.Contains(text, "<script") {
		t.Error("a name is not escaped")
	}
}

var loads = regexp.MustCompile(`(?i)(src|href)\s*=|@import|url\(`)

func TestPageLoadsNothing(t *testing.T) {
	t.Parallel()
	if found := loads.FindString(page(t, rows())); found != "" {
		t.Errorf("the page has %q", found)
	}
}

var svg = regexp.MustCompile(`(?s)<svg.*?</svg>`)

// A chart per group for ratios, rates and latencies, with the figures in it.
func TestChartsAreWellFormed(t *testing.T) {
	t.Parallel()
	charts := svg.FindAllString(page(t, rows()), -1)
	if len(charts) != 6 {
		t.Fatalf("%d charts, want 6", len(charts))
	}
	for i, figures := range [][]string{{"append/one/w50", "0.50", "1.60"}, {"1 234 567", "2 469 134"}, {"4.20", "2.00"}} {
		for _, f := range figures {
			if !strings.Contains(charts[i], f) {
				t.Errorf("chart %d has no %s", i, f)
			}
		}
	}
	for i, text := range charts {
		d := xml.NewDecoder(strings.NewReader(text))
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("chart %d: %v", i, err)
			}
		}
	}
}

func TestPageOfNothing(t *testing.T) {
	t.Parallel()
	if text := page(t, nil); !strings.Contains(text, "</html>") {
		t.Errorf("got %s", text)
	}
}
