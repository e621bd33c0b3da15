package store

import (
	"fmt"
	"math"
	"strings"
	"unicode/utf8"
)

// CheckKey returns an [*InvalidError] unless key can be a partition key.
func CheckKey(key string) error {
	if key == "" {
		return nil
	}
	return checkName("partition key", key, MaxNameBytes)
}

// CheckUnpark returns an [*InvalidError] for what cannot be parked in the lane.
func CheckUnpark(h Hold, key string, at uint64) error {
	if err := h.Check(); err != nil {
		return err
	}
	if err := CheckKey(key); err != nil {
		return err
	}
	return CheckPlace(h.Subscription, at)
}

// CheckPark returns an [*InvalidError] for events that cannot be parked in the
// lane: bad names, numbers or states, or two at one place.
func CheckPark(h Hold, events []Parked) error {
	if err := h.Check(); err != nil {
		return err
	}
	type place struct {
		key string
		at  uint64
	}
	seen := make(map[place]bool, len(events))
	for _, p := range events {
		if err := CheckUnpark(h, p.Key, p.At); err != nil {
			return err
		}
		if err := checkName("stream name", p.Stream, MaxStreamBytes); err != nil {
			return err
		}
		if err := checkName("event type", p.Type, MaxNameBytes); err != nil {
			return err
		}
		if err := p.State.check(); err != nil {
			return err
		}
		switch {
		case p.Version < 0 || p.Position > math.MaxInt64:
			return invalidSubscription(h.Subscription, fmt.Sprintf("no event has version %d and position %d", int64(p.Version), uint64(p.Position)))
		case p.Attempts < 0 || p.Attempts > math.MaxInt32:
			return invalidSubscription(h.Subscription, fmt.Sprintf("%d attempts of an event; they are 0 to %d", p.Attempts, math.MaxInt32))
		case seen[place{p.Key, p.At}]:
			return invalidSubscription(h.Subscription, fmt.Sprintf("two events of one key at %d; each is parked once", p.At))
		}
		seen[place{p.Key, p.At}] = true
	}
	return nil
}

// Check returns an [*InvalidError] if q contradicts itself.
func (q ParkedQuery) Check() error {
	if err := CheckSubscription(q.Subscription); err != nil {
		return err
	}
	if q.Lane >= MaxLanes {
		return invalidSubscription(q.Subscription, fmt.Sprintf("lane %d; lanes are numbered from 0 to %d", q.Lane, MaxLanes-1))
	}
	for _, key := range []string{q.Key, q.AfterKey} {
		if err := CheckKey(key); err != nil {
			return err
		}
	}
	for _, s := range q.States {
		if err := s.check(); err != nil {
			return err
		}
	}
	if err := CheckPlace(q.Subscription, q.AfterAt); err != nil {
		return err
	}
	return checkLimit("list of parked events", q.Limit)
}

// CheckMark returns an [*InvalidError] for a mark that no event can get.
func CheckMark(name, key string, state ParkedState) error {
	if err := CheckSubscription(name); err != nil {
		return err
	}
	if err := CheckKey(key); err != nil {
		return err
	}
	return state.check()
}

func (s ParkedState) check() error {
	switch s {
	case ParkedWaiting, ParkedRetry, ParkedSkipped, ParkedDiscarded:
		return nil
	}
	return &InvalidError{What: "state of a parked event", Value: string(s), Reason: "unknown; take one of the constants"}
}

// waits tells that the event counts as parked.
func (s ParkedState) waits() bool { return s == ParkedWaiting || s == ParkedRetry }

// CutError returns what is kept of the text of an error or a reason: UTF-8
// without U+0000, cut to [MaxErrorBytes].
func CutError(text string) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
	if len(text) <= MaxErrorBytes {
		return text
	}
	end := MaxErrorBytes
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}
