package history

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Problem is a rule that was broken, and by what.
type Problem struct{ Rule, Text string }

// Report is what [Check] has found.
type Report struct {
	// Dir holds the logs.
	Dir string
	// Problems are what is wrong, nothing if all is well.
	Problems []Problem

	// Logs, appends by how they ended, events that are stored, and what readers
	// saw: what the verdict rests on.
	Logs, Stored, Refused, Unknown, Events, Seen int
	// Resolved are the appends with an unknown outcome that are stored now.
	Resolved int
	// Linear are the appends and reads whose order was searched for.
	Linear int
	// Links are the calls that linked events, or should have.
	Links int
	// Why tells how often appends were refused for which reason.
	Why map[string]int
	// Longest is the longest time that an append to streams of its own took.
	Longest time.Duration
	// Given is how often handlers were given an event, Handled how many events
	// were handled, of each subscription's its own, and Latest the longest time that
	// one waited for it, faults aside.
	Given, Handled int
	Latest         time.Duration
}

// Err is nil if there are no problems, and otherwise says up to three of each rule.
func (r Report) Err() error {
	if len(r.Problems) == 0 {
		return nil
	}
	const each = 3
	by := make(map[string][]string)
	for _, p := range r.Problems {
		by[p.Rule] = append(by[p.Rule], p.Text)
	}
	var text strings.Builder
	fmt.Fprintf(&text, "%d problems, logs in %s:", len(r.Problems), r.Dir)
	for _, rule := range slices.Sorted(maps.Keys(by)) {
		for i, t := range by[rule] {
			if i == each {
				fmt.Fprintf(&text, "\n  %s: %d more", rule, len(by[rule])-each)
				break
			}
			fmt.Fprintf(&text, "\n  %s: %s", rule, t)
		}
	}
	return fmt.Errorf("history: %s", text.String())
}

// Broken reports whether a problem of the rule was found.
func (r Report) Broken(rule string) bool {
	return slices.ContainsFunc(r.Problems, func(p Problem) bool { return p.Rule == rule })
}

// String is one line for logs.
func (r Report) String() string {
	why := make([]string, 0, len(r.Why))
	for _, name := range slices.Sorted(maps.Keys(r.Why)) {
		why = append(why, fmt.Sprintf("%d %s", r.Why[name], name))
	}
	return fmt.Sprintf("%d events in %d appends, %d refused (%s), %d unknown of which %d are stored, readers saw %d, %d links, %d in linear order, longest lone append %s, "+
		"%d given to handlers, %d handled, the latest after %s, %d logs: %d problems",
		r.Events, r.Stored, r.Refused, strings.Join(why, ", "), r.Unknown, r.Resolved, r.Seen, r.Links, r.Linear,
		r.Longest.Round(time.Millisecond), r.Given, r.Handled, r.Latest.Round(time.Millisecond), r.Logs, len(r.Problems))
}

func (c *checker) count() {
	r := &c.Report
	r.Logs, r.Events, r.Why = c.logs, len(c.final), make(map[string]int)
	for _, o := range c.ops {
		if o.del != "" {
			continue
		}
		switch o.status {
		case isStored:
			r.Stored++
		case isRefused:
			r.Refused++
			r.Why[o.why]++
		case isUnknown:
			r.Unknown++
			if _, ok := c.placed[o.batches[0].IDs[0].ID]; ok {
				r.Resolved++
			}
		}
	}
}
