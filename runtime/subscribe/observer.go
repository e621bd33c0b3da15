package subscribe

import (
	"context"
	"time"

	"github.com/esgen/esgen/runtime/store"
)

// Observer is told what subscriptions do, in plain values: package esotel turns
// them into traces and metrics. Methods are called on the way of the events, so they
// must be quick, and by several goroutines at once. A subscription without an
// observer spends nothing on it.
//
// An observer that panics breaks no subscription: it goes on, and the first panic is
// logged.
type Observer interface {
	// Begin is told that a handler is about to be called. The context that it
	// returns replaces the handler's, of which it must be a child; nil changes
	// nothing.
	Begin(ctx context.Context, h Handling) context.Context
	// End is told how that ended, once for each Begin, with the context that Begin
	// returned.
	End(ctx context.Context, h Handling, r Handled)
	// Notice is told what has happened to a subscription or to one of its lanes.
	Notice(n Notice)
}

// HandlingKind is how events are given to a program. Later releases may add kinds.
type HandlingKind string

// The ways in which a subscription gives events to a program.
const (
	// HandlingEvent is a call of a handler with one event.
	HandlingEvent HandlingKind = "event"
	// HandlingBatch is a call of a batch handler.
	HandlingBatch HandlingKind = "batch"
	// HandlingTransaction is a transaction with the calls of the handler in it and
	// the checkpoint: its end is the commit, or the rollback.
	HandlingTransaction HandlingKind = "transaction"
	// HandlingYield is an event in the body of a loop over an iterator, from when it
	// is yielded until it is acknowledged or refused.
	HandlingYield HandlingKind = "yield"
)

// Handling is a call of a handler.
type Handling struct {
	Kind         HandlingKind
	Subscription string
	Lane         int
	// Events are what is handled, at least one. They hold, in their metadata, the
	// traces in which they were appended. Valid until Begin returns, and not to be
	// changed; nil for End.
	Events []store.Recorded
	// Count is how many they are.
	Count int
	// Attempt counts from 1.
	Attempt int
}

// Handled is how a call of a handler ended.
type Handled struct {
	// Err is what the handler returned; a [*PanicError] if it panicked.
	Err error
	// Duration of the call, of a transaction with the commit.
	Duration time.Duration
}

// NoticeKind is what has happened. Later releases may add kinds.
type NoticeKind string

// What an [Observer] is told of.
const (
	// NoticeRetry: handling failed, and is tried again after Notice.Pause.
	NoticeRetry NoticeKind = "retry"
	// NoticeParked: Notice.Events events were parked, or wait behind a parked one of
	// their key. NoticeUnparked: that many were handled after all.
	NoticeParked   NoticeKind = "parked"
	NoticeUnparked NoticeKind = "unparked"
	// NoticeSkipped: an event was passed over by the policy, and is recorded.
	NoticeSkipped NoticeKind = "skipped"
	// NoticeStopped: the lane handles nothing more until the subscription is run
	// again, or what it stopped at can be handled; Notice.Err says why.
	NoticeStopped NoticeKind = "stopped"
	// NoticeGained: this process owns the lane from now on.
	NoticeGained NoticeKind = "gained"
	// NoticeReleased: it has given the lane up, of its own accord.
	NoticeReleased NoticeKind = "released"
	// NoticeLost: it owns the lane no longer, for another has it, it was taken, or
	// the lease passed without a renewal. What was under way may be handled again.
	NoticeLost NoticeKind = "lost"
	// NoticeRenewalFailed: the lease could not be renewed; Notice.Err says why. It is
	// of no lane, and told once for each subscription that the process runs.
	NoticeRenewalFailed NoticeKind = "renewal_failed"
	// NoticeFailing: reading, or storing the checkpoint, failed and is tried again
	// after Notice.Pause.
	NoticeFailing NoticeKind = "failing"
	// NoticeProgress is told at most once a second, and when the lane has caught up:
	// At, Behind and BehindTime say how far it is.
	NoticeProgress NoticeKind = "progress"
)

// Notice is what has happened. Fields that a kind does not name are zero.
type Notice struct {
	Kind         NoticeKind
	Subscription string
	// Lane is -1 if it is of no lane.
	Lane int
	// Events counts them; 0 if it is of none.
	Events int
	// Key of what was parked.
	Key string
	// Err is why, if something went wrong.
	Err error
	// Pause before the next attempt.
	Pause time.Duration
	// At is the place up to which all events are handled. Behind is how many places
	// there are after it, which may be of other lanes or categories, and BehindTime
	// how old the first event after it is, as far as is known; both are 0 when the
	// lane has caught up.
	At, Behind uint64
	BehindTime time.Duration
}
