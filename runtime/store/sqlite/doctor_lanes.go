package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/esgen/esgen/internal/printable"
)

// LaneState is a lane of a subscription that does not go on.
type LaneState struct {
	Subscription string `json:"subscription"`
	Lane         int    `json:"lane"`
	At           int64  `json:"at"`
	// Owner is the id of a member, Label what it says of itself.
	Owner uuid.UUID `json:"owner"`
	Label string    `json:"label"`
	// Ended tells that the owner's membership has ended.
	Ended bool `json:"ended"`
	// Since is how many seconds ago that was, or the first failure.
	Since float64 `json:"since"`
	// Error is what the owner could not do last.
	Error string `json:"error,omitempty"`
}

const (
	// longFailure is after how long a failure is not one that passes by itself.
	longFailure = 10 * time.Second
	// shownLanes is the most that a report has.
	shownLanes = 50
)

// ailing looks for lanes that do not go on.
func (s *Store) ailing(ctx context.Context, r *Report) error {
	st, err := s.base.statement(ctx, ailingLanesSQL)
	if err != nil {
		return err
	}
	err = each(ctx, st, []any{r.Time.UnixMicro()}, func(rows *sql.Rows) error {
		var l LaneState
		var owner []byte
		var since int64
		err := rows.Scan(&l.Subscription, &l.Lane, &l.At, &owner, &l.Label, &l.Ended, &since, &l.Error)
		copy(l.Owner[:], owner)
		l.Since = r.Time.Sub(instant(since)).Seconds()
		r.Lanes = append(r.Lanes, l)
		return err
	})
	if err != nil {
		return err
	}
	slices.SortFunc(r.Lanes, func(a, b LaneState) int {
		return cmp.Or(cmp.Compare(b.Since, a.Since), strings.Compare(a.Subscription, b.Subscription), cmp.Compare(a.Lane, b.Lane))
	})
	r.Lanes = r.Lanes[:min(len(r.Lanes), shownLanes)]
	for _, l := range r.Lanes {
		name := fmt.Sprintf("lane %d of subscription %s", l.Lane, printable.Name(l.Subscription))
		switch {
		case l.Ended:
			r.find("notable", fmt.Sprintf("%s is at %d and belongs to %s, member %s, whose membership ended %.0f s ago: nobody has taken it over",
				name, l.At, printable.Name(l.Label), l.Owner, l.Since), "run the subscription somewhere, or delete it if nobody needs it any more")
		case l.Since > longFailure.Seconds():
			r.find("harmful", fmt.Sprintf("%s is at %d and cannot go on since %.0f s: %s", name, l.At, l.Since, printable.Name(l.Error)),
				"look at what "+printable.Name(l.Label)+" logs")
		}
	}
	return nil
}
