package result

import (
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
)

// Table writes rows for a terminal, with a head if asked for.
func Table(w io.Writer, rows []Row, head bool) error {
	// The columns of later tables stand under those of the first.
	t := tabwriter.NewWriter(w, 9, 0, 2, ' ', tabwriter.AlignRight)
	if head {
		_, _ = fmt.Fprintf(t, "%-26s\tevents/s\tlimit/s\tratio\tat least\tp50 ms\tp99 ms\tp99.9 ms\tallocs\tbytes\tWAL bytes\tcommits\t\n", "")
	}
	for _, r := range rows {
		atLeast := ""
		if r.AtLeast > 0 {
			atLeast = Short(r.AtLeast)
		}
		_, _ = fmt.Fprintf(t, "%-26s\t%.0f\t%.0f\t%.2f\t%s\t%s\t%s\t%s\t%s\t%.0f\t%.0f\t%s\t\n",
			r.Name, r.PerSecond, r.LimitPerSecond, r.Ratio, atLeast, Short(r.P50/1000), Short(r.P99/1000), Short(r.P999/1000),
			Short(r.Allocs), r.Bytes, r.WALBytes, Short(r.Commits))
	}
	return t.Flush()
}

// Short is v to three digits.
func Short(v float64) string {
	switch {
	case v >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	default:
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
}
