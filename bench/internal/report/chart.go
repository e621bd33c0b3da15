package report

import (
	"slices"

	"github.com/go-analyze/charts"

	"github.com/esgen/esgen/bench/internal/result"
)

// series is one colour of bars.
type series struct {
	name   string
	values []float64
}

// ratios draws ours over the limit, and what it should be.
func ratios(rows []result.Row) (string, error) {
	us, wanted := series{name: "ratio to the limit"}, series{name: "at least"}
	for _, r := range rows {
		us.values = append(us.values, r.Ratio)
		wanted.values = append(wanted.values, r.AtLeast)
	}
	all := []series{us, wanted}
	if slices.Max(wanted.values) == 0 {
		all = all[:1]
	}
	return bars("Ratio (higher is better)", rows, result.Short, all...)
}

// rates draws events per second.
func rates(rows []result.Row) (string, error) {
	us, limit := series{name: "esgen"}, series{name: "limit"}
	for _, r := range rows {
		us.values = append(us.values, r.PerSecond)
		limit.values = append(limit.values, r.LimitPerSecond)
	}
	return bars("Events per second", rows, whole, us, limit)
}

// tails draws the latency that one operation in a hundred exceeds.
func tails(rows []result.Row) (string, error) {
	us, limit := series{name: "esgen"}, series{name: "limit"}
	for _, r := range rows {
		us.values = append(us.values, r.P99/1000)
		limit.values = append(limit.values, r.LimitP99/1000)
	}
	return bars("p99 of an operation, milliseconds (lower is better)", rows, result.Short, us, limit)
}

// bars draws a group of bars per row, the first row on top.
func bars(title string, rows []result.Row, text func(float64) string, all ...series) (string, error) {
	list := make(charts.BarSeriesList, 0, len(all))
	for _, s := range all {
		// The category axis begins at the bottom.
		values := make([]float64, len(rows))
		for i := range rows {
			values[len(rows)-1-i] = s.values[i]
		}
		list = append(list, charts.BarSeries{Name: s.name, Values: values, Label: charts.SeriesLabel{
			Show: new(true),
			LabelFormatter: func(_ int, _ string, v float64) (string, *charts.LabelStyle) {
				if v == 0 {
					return "", nil
				}
				return text(v), nil
			},
		}})
	}
	option := charts.NewBarChartOptionWithSeries(list)
	option.Horizontal = true
	option.Title = charts.TitleOption{Text: title}
	option.Legend = charts.LegendOption{SeriesNames: names(all), Offset: charts.OffsetStr{Left: charts.PositionRight}}
	option.ValueFormatter = text
	option.Padding = charts.NewBox(10, 10, 60, 10)
	for i := range rows {
		option.CategoryAxis.Labels = append(option.CategoryAxis.Labels, rows[len(rows)-1-i].Name)
	}
	// More labels of large numbers would overlap.
	option.ValueAxis = []charts.ValueAxisOption{{LabelCount: 6}}
	option.CategoryAxis.LabelCount = len(rows)
	p := charts.NewPainter(charts.PainterOptions{OutputFormat: charts.ChartOutputSVG, Width: 1200, Height: 110 + 44*len(rows)})
	if err := p.BarChart(option); err != nil {
		return "", err
	}
	svg, err := p.Bytes()
	return string(svg), err
}

func names(all []series) []string {
	list := make([]string, len(all))
	for i, s := range all {
		list[i] = s.name
	}
	return list
}
