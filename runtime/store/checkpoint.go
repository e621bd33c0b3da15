package store

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"
)

// Checkpoint is how far a named subscription has come. Its names in JSON never
// change, so that a store may keep checkpoints so.
type Checkpoint struct {
	// Name of the subscription: 1 to [MaxNameBytes] bytes.
	Name string `json:"name"`
	// Settings are what the subscription reads, in the words of package
	// subscribe: UTF-8 without U+0000. Stores keep them and never interpret them.
	Settings string `json:"settings"`
	// At is the position, or for a subscription to one stream the version, of
	// the last event that was handled: at most 2⁶³-1. 0 is before all events.
	At uint64 `json:"at"`
	// Time of the last change, by the store's clock.
	Time time.Time `json:"time"`
}

// Checkpoints keeps checkpoints. Methods are safe for concurrent use.
type Checkpoints interface {
	// Open returns the checkpoint stored under c.Name. If there is none, it
	// stores c and returns that. Of concurrent calls one stores. The error is
	// that of [Checkpoint.Check] if it has one.
	Open(ctx context.Context, c Checkpoint) (Checkpoint, error)

	// Advance moves the checkpoint from one place to a later one, or returns a
	// [*CheckpointError] if it is neither at from nor, because the reply to an
	// earlier call was lost, at to. So a process that was thought dead cannot
	// take a subscription back behind another process that has taken it over. The
	// error is that of [CheckAdvance] if it has one.
	Advance(ctx context.Context, name string, from, to uint64) error
}

// Check returns an [*InvalidError] if no store can keep c: a name that no
// subscription can have, settings that are not UTF-8 or hold U+0000, a place
// beyond 2⁶³-1.
func (c Checkpoint) Check() error {
	if err := CheckSubscription(c.Name); err != nil {
		return err
	}
	switch {
	case strings.IndexByte(c.Settings, 0) >= 0:
		return invalidCheckpoint(c.Name, "its settings hold U+0000, which databases cannot store")
	case !utf8.ValidString(c.Settings):
		return invalidCheckpoint(c.Name, "its settings are not valid UTF-8")
	}
	return checkPlace(c.Name, c.At)
}

// CheckAdvance returns an [*InvalidError] for a move that no checkpoint can make:
// of a name that no subscription can have, back, or beyond 2⁶³-1.
func CheckAdvance(name string, from, to uint64) error {
	if err := CheckSubscription(name); err != nil {
		return err
	}
	if to < from {
		return invalidCheckpoint(name, fmt.Sprintf("a move from %d back to %d; checkpoints only advance", from, to))
	}
	return checkPlace(name, to)
}

// Places are stored in 64 bits with a sign.
func checkPlace(name string, at uint64) error {
	if at <= math.MaxInt64 {
		return nil
	}
	return invalidCheckpoint(name, fmt.Sprintf("no store has a position %d, they end at %d", at, int64(math.MaxInt64)))
}

func invalidCheckpoint(name, reason string) error {
	return &InvalidError{What: "checkpoint", Value: name, Reason: reason}
}
