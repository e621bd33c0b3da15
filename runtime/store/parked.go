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
	Subscription string
	Lane         int
	// Key is the partition key: at most [MaxNameBytes] bytes of UTF-8 without
	// U+0000, and may be empty.
	Key string
	// At is the event's place as the subscription counts.
	At uint64
	// Stream and Version are where it can be read, Position as well if the
	// subscription counts positions.
	Stream   string
	Version  Version
	Position Position
	EventID  uuid.UUID
	Type     string
	State    ParkedState
	// Attempts is how often it was handled in vain: 0 for one that only waits
	// behind another.
	Attempts int
	// Error is the last one, empty for one that only waits.
	Error string
	// Reason is why it was discarded or is to be tried again, as somebody wrote.
	Reason string
	// Time of the last change, by the store's clock.
	Time time.Time
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
