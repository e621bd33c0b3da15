package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
)

var doctorVerb = verb{
	name: "doctor", about: "examine stores and their server; exit 1 if something is wrong",
	more: `It reports who holds events that are not committed, who holds and who waits for locks,
what keeps dead rows, and what else is seen, with what to do. It changes nothing. To see
what the sessions of others do, the role needs membership in pg_monitor. Of a SQLite
file, the whole is walked to find damage.`,
	reach: several,
	prepare: func(*flag.FlagSet) action {
		return func(ctx context.Context, s shell, _ []string) error {
			return s.open(ctx, func(_ place, all []target) error { return s.doctor(ctx, all) })
		}
	},
}

// findings is what all reports have.
type findings struct {
	Findings []struct {
		Severity string `json:"severity"`
		What     string `json:"what"`
		Remedy   string `json:"remedy"`
	} `json:"findings"`
}

func (s shell) doctor(ctx context.Context, all []target) error {
	_, err := s.visit(ctx, all, func(ctx context.Context, t target) (outcome, error) {
		report, err := t.Examine(ctx)
		if err != nil {
			if len(all) > 1 && !s.json {
				s.printf("%s: failed: %v\n", printable(t.Name()), err)
			}
			return outcome{}, err
		}
		text, err := json.Marshal(report)
		if err != nil {
			return outcome{}, err
		}
		var f findings
		if err := json.Unmarshal(text, &f); err != nil {
			return outcome{}, err
		}
		if !s.json {
			if err := s.sections(text, f); err != nil {
				return outcome{}, err
			}
		}
		wrong := 0
		for _, finding := range f.Findings {
			if finding.Severity != "notable" {
				wrong++
			}
		}
		o := outcome{Details: report, Result: count(len(f.Findings), "finding")}
		if wrong > 0 {
			return o, foundError{fmt.Sprintf("%s: %s", printable(t.Name()), o.Result)}
		}
		return o, nil
	})
	return err
}
