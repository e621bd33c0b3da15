package store

import (
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/esgen/esgen/internal/printable"
)

// MaxLease is the longest lease of a member.
const MaxLease = 24 * time.Hour

// Check returns an [*InvalidError] if no store can keep s: a name that no
// subscription can have, settings that are not UTF-8 or hold U+0000, no lanes or
// more than [MaxLanes], a place beyond 2⁶³-1.
func (s Subscription) Check() error {
	if err := CheckSubscription(s.Name); err != nil {
		return err
	}
	switch {
	case strings.IndexByte(s.Settings, 0) >= 0:
		return invalidSubscription(s.Name, "its settings hold U+0000, which databases cannot store")
	case !utf8.ValidString(s.Settings):
		return invalidSubscription(s.Name, "its settings are not valid UTF-8")
	case len(s.Lanes) == 0 || len(s.Lanes) > MaxLanes:
		return invalidSubscription(s.Name, fmt.Sprintf("%d lanes; it needs 1 to %d", len(s.Lanes), MaxLanes))
	}
	for _, l := range s.Lanes {
		if err := CheckPlace(s.Name, l.At); err != nil {
			return err
		}
	}
	return nil
}

// CheckPlace returns an [*InvalidError] for a place beyond 2⁶³-1.
func CheckPlace(subscription string, at uint64) error {
	if at <= math.MaxInt64 { // places are stored in 64 bits with a sign
		return nil
	}
	return invalidSubscription(subscription, fmt.Sprintf("no store has a position %d, they end at %d", at, int64(math.MaxInt64)))
}

// Check returns an [*InvalidError] for a hold that no caller can have.
func (h Hold) Check() error {
	if err := CheckSubscription(h.Subscription); err != nil {
		return err
	}
	switch {
	case h.Lane < 0 || h.Lane >= MaxLanes:
		return invalidSubscription(h.Subscription, fmt.Sprintf("lane %d; lanes are numbered from 0 to %d", h.Lane, MaxLanes-1))
	case h.Token > math.MaxInt64:
		return invalidSubscription(h.Subscription, fmt.Sprintf("no store has given the token %d, they end at %d", h.Token, int64(math.MaxInt64)))
	}
	return nil
}

// CheckMoves returns an [*InvalidError] for moves that no lane can make: back,
// beyond 2⁶³-1, or two of one lane.
func CheckMoves(moves []Move) error {
	type lane struct {
		subscription string
		number       int
	}
	var seen map[lane]bool
	if len(moves) > 1 {
		seen = make(map[lane]bool, len(moves))
	}
	for _, m := range moves {
		if err := m.Check(); err != nil {
			return err
		}
		if m.To < m.From {
			return invalidSubscription(m.Subscription, fmt.Sprintf("a move of lane %d from %d back to %d; checkpoints only advance", m.Lane, m.From, m.To))
		}
		if err := CheckPlace(m.Subscription, m.To); err != nil {
			return err
		}
		if seen != nil {
			key := lane{m.Subscription, m.Lane}
			if seen[key] {
				return invalidSubscription(m.Subscription, fmt.Sprintf("two moves of lane %d in one call; make them one", m.Lane))
			}
			seen[key] = true
		}
	}
	return nil
}

// Check returns an [*InvalidError] for a member that cannot be: without an id, a
// label that no store can keep, a lease that is not above 0 and at most
// [MaxLease], a name that no subscription can have, or one twice.
func (m Member) Check() error {
	if err := CheckMember(m.ID); err != nil {
		return err
	}
	if m.Label != "" {
		if err := checkName("member label", m.Label, MaxNameBytes); err != nil {
			return err
		}
	}
	if m.Lease < time.Millisecond || m.Lease > MaxLease {
		return &InvalidError{What: whatMember, Value: m.ID.String(), Reason: fmt.Sprintf("its lease is %s; it needs 1ms to %s", m.Lease, MaxLease)}
	}
	seen := make(map[string]bool, len(m.Runs))
	for _, name := range m.Runs {
		if err := CheckSubscription(name); err != nil {
			return err
		}
		if seen[name] {
			return &InvalidError{What: whatMember, Value: m.ID.String(), Reason: "it runs " + printable.Name(name) + " twice; name each subscription once"}
		}
		seen[name] = true
	}
	return nil
}

// whatMember is what is invalid about a [Member].
const whatMember = "member"

// CheckMember returns an [*InvalidError] unless id can be a member's.
func CheckMember(id uuid.UUID) error {
	if id == uuid.Nil {
		return &InvalidError{What: whatMember, Reason: "its id is nil; choose one with uuid.New"}
	}
	return nil
}

// CheckPage returns an [*InvalidError] unless after is empty or can name a
// subscription, and limit is 1 to 10 000.
func CheckPage(after string, limit int) error {
	if after != "" {
		if err := CheckSubscription(after); err != nil {
			return err
		}
	}
	return checkLimit("list of subscriptions", limit)
}

func checkLimit(what string, limit int) error {
	if limit < 1 || limit > MaxListed {
		return &InvalidError{What: what, Reason: fmt.Sprintf("a limit of %d; it is 1 to %d", limit, MaxListed)}
	}
	return nil
}

// MaxListed is the most subscriptions or parked events of a page.
const MaxListed = 10_000

func invalidSubscription(name, reason string) error {
	return &InvalidError{What: "subscription", Value: name, Reason: reason}
}
