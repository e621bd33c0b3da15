package store

import (
	"context"
	"time"
)

// Checkpoint is how far a named subscription has come. Its names in JSON never
// change, so that a store may keep checkpoints so.
type Checkpoint struct {
	// Name of the subscription: 1 to [MaxNameBytes] bytes.
	Name string `json:"name"`
	// Settings are what the subscription reads, in the words of package
	// subscribe. Stores keep them and never interpret them.
	Settings string `json:"settings"`
	// At is the position, or for a subscription to one stream the version, of
	// the last event that was handled. 0 is before all events.
	At uint64 `json:"at"`
	// Time of the last change, by the store's clock.
	Time time.Time `json:"time"`
}

// Checkpoints keeps checkpoints. Methods are safe for concurrent use.
type Checkpoints interface {
	// Open returns the checkpoint stored under c.Name. If there is none, it
	// stores c and returns that. Of concurrent calls one stores.
	Open(ctx context.Context, c Checkpoint) (Checkpoint, error)

	// Advance moves the checkpoint from one place to a later one, or returns a
	// [*CheckpointError] if it is neither at from nor, because the reply to an
	// earlier call was lost, at to. So a process that was thought dead cannot
	// take a subscription back behind another process that has taken it over.
	Advance(ctx context.Context, name string, from, to uint64) error
}
