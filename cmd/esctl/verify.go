package main

import (
	"context"
	"flag"
	"fmt"

	"github.com/esgen/esgen/runtime/store"
)

var verifyVerb = verb{
	name: "verify", about: "read everything, and check that nothing is missing; exit 1 if anything is",
	more: `Positions and the versions of every stream must be dense, every event must be in a
stream that is listed, and every link must lead to its event. Appends may go on
meanwhile; what they add is left out. Everything is read once, and once more for each
further million streams; it needs about 200 MB then, however many events there are.

Subscriptions must have all their lanes, none of which has handled more than there is,
and what they have parked must be there.

Only a hard delete makes a hole in the positions: after one, -allow-holes.`,
	reach: several,
	prepare: func(f *flag.FlagSet) action {
		holes := f.Bool("allow-holes", false, "holes in the positions are not wrong")
		return func(ctx context.Context, s shell, _ []string) error {
			return s.open(ctx, func(_ place, all []target) error {
				return s.each(ctx, all, func(ctx context.Context, t target) (outcome, error) {
					return s.verify(ctx, t, *holes)
				})
			})
		}
	},
}

// verify reads a store and says what is wrong with it.
func (s shell) verify(ctx context.Context, t target, holes bool) (outcome, error) {
	last, err := head(ctx, t)
	if err != nil {
		return outcome{}, err
	}
	bar := s.bar("verifying", int64(last), false)
	v := verification{t: t, atOnce: streamsAtOnce, holes: holes, progress: func(of, at int64) {
		bar.ChangeMax64(of)
		_ = bar.Set64(at)
	}}
	v.result.Position = last
	err = v.run(ctx)
	_ = bar.Finish()
	if err != nil {
		return outcome{}, err
	}
	r := &v.result
	if r.Holes > 0 && !holes {
		v.wrongf("%s of %s given are not there, the first is %d; only a hard delete makes a hole (-allow-holes)",
			count(r.Holes, "position"), group(uint64(last)), r.FirstHole)
	}
	said := fmt.Sprintf("%s to position %s in %s, %s", count(r.Events, "event"), group(uint64(last)), count(r.Streams, "stream"), count(r.Links, "link"))
	if r.Subscriptions > 0 {
		said += ", " + count(r.Subscriptions, "subscription")
	}
	if r.Wrong == 0 {
		return outcome{Result: said + ": sound", Details: r}, nil
	}
	if !s.json {
		for _, what := range r.Problems {
			s.printf("%s", printable(what))
		}
		if more := r.Wrong - int64(len(r.Problems)); more > 0 {
			s.printf("… and %s more", group(more))
		}
	}
	said += ": " + count(r.Wrong, "problem")
	return outcome{Result: said, Details: r}, foundError{fmt.Sprintf("%s: %s", printable(t.Name()), count(r.Wrong, "problem"))}
}

// verified is what programs are told.
type verified struct {
	// Position is the last that was looked at.
	Position store.Position `json:"position"`
	Events   int64          `json:"events"`
	Streams  int64          `json:"streams"`
	Links    int64          `json:"links"`
	// Subscriptions are left out if there are none.
	Subscriptions int64 `json:"subscriptions,omitempty"`
	// Deleted counts the streams that were deleted softly: of them only the events
	// in $all can be looked at.
	Deleted int64 `json:"deleted"`
	// Holes counts the positions that no event has.
	Holes     int64          `json:"holes"`
	FirstHole store.Position `json:"first_hole,omitempty"`
	// Wrong counts all problems, of which Problems has the first.
	Wrong    int64    `json:"wrong"`
	Problems []string `json:"problems,omitempty"`
}
