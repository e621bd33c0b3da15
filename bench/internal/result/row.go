// Package result is what measurements come to: rows that are kept as JSON,
// compared and shown.
package result

import (
	"slices"

	"github.com/esgen/esgen/bench/internal/measure"
)

// Row is one measurement beside its limit. Rates are events per second, latencies
// are those of operations, and all figures are medians over the samples.
type Row struct {
	Name      string  `json:"name"`
	PerSecond float64 `json:"per_second"`
	P50       float64 `json:"p50_us"`
	P99       float64 `json:"p99_us"`
	P999      float64 `json:"p999_us"`
	// LimitPerSecond is what the limit reached in between.
	LimitPerSecond float64 `json:"limit_per_second"`
	// Ratio is ours over the limit's of what RatioOf names; of latencies the
	// limit's over ours. Higher is better.
	Ratio float64 `json:"ratio"`
	// Allocs and Bytes are what this program allocates per event.
	Allocs float64 `json:"allocs"`
	Bytes  float64 `json:"bytes"`
	// WALBytes and Commits are what the server does per event: the log that it
	// writes and the transactions that write.
	WALBytes float64 `json:"wal_bytes"`
	Commits  float64 `json:"commits"`

	// Limit says in words what the row is measured against.
	Limit         string  `json:"limit"`
	RatioOf       Metric  `json:"ratio_of"`
	AtLeast       float64 `json:"at_least,omitempty"`
	LimitP50      float64 `json:"limit_p50_us"`
	LimitP99      float64 `json:"limit_p99_us"`
	LimitP999     float64 `json:"limit_p999_us"`
	LimitWALBytes float64 `json:"limit_wal_bytes"`
	LimitCommits  float64 `json:"limit_commits"`
	// More is what only this row has to tell.
	More map[string]float64 `json:"more,omitempty"`
	// On is the machine and the versions.
	On string `json:"on"`
	// Samples and LimitSamples were taken in turns.
	Samples      []Sample `json:"samples"`
	LimitSamples []Sample `json:"limit_samples"`
}

// Metric is the name of a figure in a row and in its samples.
type Metric string

// What rows and their samples are compared by.
const (
	PerSecond Metric = "per_second"
	P50       Metric = "p50_us"
	P99       Metric = "p99_us"
	P999      Metric = "p999_us"
	Allocs    Metric = "allocs"
	Bytes     Metric = "bytes"
	WALBytes  Metric = "wal_bytes"
	Commits   Metric = "commits"
	// Ratio exists of rows only.
	Ratio Metric = "ratio"
)

// Sample is one run of one side.
type Sample struct {
	PerSecond float64 `json:"per_second"`
	P50       float64 `json:"p50_us"`
	P99       float64 `json:"p99_us"`
	P999      float64 `json:"p999_us"`
	Allocs    float64 `json:"allocs"`
	Bytes     float64 `json:"bytes"`
	WALBytes  float64 `json:"wal_bytes"`
	Commits   float64 `json:"commits"`
}

// SampleOf is a sample of a run during which the server did s.
func SampleOf(r measure.Result, s measure.Server) Sample {
	per := func(n float64) float64 { return n / float64(max(r.Events, 1)) }
	return Sample{
		PerSecond: r.PerSecond(), P50: r.Quantile(50), P99: r.Quantile(99), P999: r.Quantile(99.9),
		Allocs: per(float64(r.Mallocs)), Bytes: per(float64(r.Bytes)),
		WALBytes: per(float64(s.WAL)), Commits: per(float64(s.Transactions)),
	}
}

// Of is the figure that m names.
func (s Sample) Of(m Metric) float64 {
	switch m {
	case PerSecond:
		return s.PerSecond
	case P50:
		return s.P50
	case P99:
		return s.P99
	case P999:
		return s.P999
	case Allocs:
		return s.Allocs
	case Bytes:
		return s.Bytes
	case WALBytes:
		return s.WALBytes
	case Commits:
		return s.Commits
	default:
		return 0
	}
}

// values are the figures that m names, of all samples.
func values(samples []Sample, m Metric) []float64 {
	all := make([]float64, len(samples))
	for i, s := range samples {
		all[i] = s.Of(m)
	}
	return all
}

// Median is the middle one of values, or the mean of the middle two; 0 of none.
func Median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	half := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[half]
	}
	return (sorted[half-1] + sorted[half]) / 2
}

// NewRow is the row of samples that were taken in turns with those of the limit.
func NewRow(name, limit string, of Metric, samples, limits []Sample) Row {
	ours := func(m Metric) float64 { return Median(values(samples, m)) }
	theirs := func(m Metric) float64 { return Median(values(limits, m)) }
	return Row{
		Name: name, PerSecond: ours(PerSecond), P50: ours(P50), P99: ours(P99), P999: ours(P999),
		LimitPerSecond: theirs(PerSecond), Ratio: ratio(of, ours(of), theirs(of)),
		Allocs: ours(Allocs), Bytes: ours(Bytes), WALBytes: ours(WALBytes), Commits: ours(Commits),
		Limit: limit, RatioOf: of, LimitP50: theirs(P50), LimitP99: theirs(P99), LimitP999: theirs(P999),
		LimitWALBytes: theirs(WALBytes), LimitCommits: theirs(Commits),
		Samples: samples, LimitSamples: limits,
	}
}

// ratio is higher if ours is better.
func ratio(of Metric, ours, limit float64) float64 {
	if of != PerSecond {
		ours, limit = limit, ours
	}
	if limit == 0 {
		return 0
	}
	return ours / limit
}

// Of are the figures that m names, one of each sample. Ratios are those of the
// pairs that ran one after the other, so that what disturbs both cancels out.
func (r Row) Of(m Metric) []float64 {
	if m != Ratio {
		return values(r.Samples, m)
	}
	all := make([]float64, min(len(r.Samples), len(r.LimitSamples)))
	for i := range all {
		all[i] = ratio(r.RatioOf, r.Samples[i].Of(r.RatioOf), r.LimitSamples[i].Of(r.RatioOf))
	}
	return all
}
