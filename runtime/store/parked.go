package store

import (
	"time"

	"github.com/google/uuid"
)

// MaxErrorBytes is how much of an error's text is kept with a lane and with a
// parked event; longer ones are cut.
const MaxErrorBytes = 4096

// Parked is an event that a subscription could not handle, or that waits behind
// one of the same key. The event itself stays where it is stored.
type Parked struct {
	Subscription string `json:"subscription"`
	Lane         int    `json:"lane"`
	// Key is the partition key: at most [MaxNameBytes] bytes of UTF-8 without
	// U+0000, and may be empty.
	Key string `json:"key"`
	// At is the event's place as the subscription counts.
	At uint64 `json:"at"`
	// Stream and Version are where it can be read, Position as well if the
	// subscription counts positions.
	Stream   string      `json:"stream"`
	Version  Version     `json:"version"`
	Position Position    `json:"position,omitzero"`
	EventID  uuid.UUID   `json:"event_id"`
	Type     string      `json:"type"`
	State    ParkedState `json:"state"`
	// Attempts is how often it was handled in vain: 0 for one that only waits
	// behind another.
	Attempts int `json:"attempts,omitzero"`
	// Error is the last one, empty for one that only waits.
	Error string `json:"error,omitzero"`
	// Reason is why it was discarded or is to be tried again, as somebody wrote.
	Reason string `json:"reason,omitzero"`
	// Time of the last change, by the store's clock.
	Time time.Time `json:"time"`
}

// ParkedState is what becomes of a parked event.
type ParkedState string

// The states. Their texts are stored.
const (
	// ParkedWaiting waits until somebody decides.
	ParkedWaiting ParkedState = "parked"
	// ParkedRetry is to be handled again by the lane's owner.
	ParkedRetry ParkedState = "retry"
	// ParkedSkipped was passed over by the subscription's policy, for the record.
	ParkedSkipped ParkedState = "skipped"
	// ParkedDiscarded was given up by somebody, for the record.
	ParkedDiscarded ParkedState = "discarded"
)

// ParkedQuery selects parked events of one subscription.
type ParkedQuery struct {
	Subscription string
	// Lane selects one, from 0. Negative: all.
	Lane int
	// Key selects one if HasKey.
	Key    string
	HasKey bool
	// States select some. Defaults to all.
	States []ParkedState
	// AfterKey and AfterAt are the last event of the page before, if More.
	AfterKey string
	AfterAt  uint64
	More     bool
	// Limit is 1 to 10 000.
	Limit int
}
