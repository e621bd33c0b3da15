package store

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// Subscription is what a store keeps of a named reader of events. Names in JSON,
// here and in [Parked], never change, so that a store may keep them so.
type Subscription struct {
	// Name: 1 to [MaxNameBytes] bytes.
	Name string `json:"name"`
	// Settings are what the subscription reads and how it is divided into lanes,
	// in the words of package subscribe: UTF-8 without U+0000. Stores keep them and
	// never interpret them.
	Settings string `json:"settings"`
	// Paused: nobody gets its lanes.
	Paused bool `json:"paused,omitzero"`
	// Created is by the store's clock.
	Created time.Time `json:"created"`
	// Lanes are numbered from 0, at least 1, at most [MaxLanes].
	Lanes []Lane `json:"lanes"`
	// Parked counts the events that wait parked or are to be tried again.
	Parked int `json:"-"`
}

// MaxLanes is the most lanes of a subscription.
const MaxLanes = 1024

// Lane is one part of a subscription: the events whose partition key falls to
// it, handled in order by one owner at a time.
type Lane struct {
	Subscription string `json:"subscription"`
	// Lane is its number, from 0.
	Lane int `json:"lane"`
	// At is the checkpoint: the position, or for a subscription to one stream the
	// version, up to which all events of the lane are handled, parked or skipped.
	// At most 2⁶³-1. 0 is before all events.
	At uint64 `json:"at"`
	// Token tells owners apart: it rises whenever the lane gets another owner or
	// is taken from its owner, by a reset for example. One that a lane of a deleted
	// subscription had is not given again under the same name.
	Token uint64 `json:"token"`
	// Owner is the member that has the lane, or nil.
	Owner uuid.UUID `json:"owner,omitzero"`
	// Label is the owner's, and Expires is when its membership ends unless it is
	// renewed, by the store's clock.
	Label   string    `json:"-"`
	Expires time.Time `json:"-"`
	// Error is what the owner last could not do, or empty, and since when.
	Error      string    `json:"error,omitzero"`
	ErrorSince time.Time `json:"error_since,omitzero"`
	// Changed is when At last moved, by the store's clock.
	Changed time.Time `json:"changed"`
}

// Hold names a lane and the token under which a caller believes to own it.
type Hold struct {
	Subscription string
	Lane         int
	Token        uint64
}

// Move is a step of a lane's checkpoint, at most 2⁶³-1, never back.
type Move struct {
	Hold
	From, To uint64
}

// Member is a process that runs subscriptions.
type Member struct {
	// ID is chosen anew by each process.
	ID uuid.UUID
	// Label tells people who it is: host, process id, program. At most
	// [MaxNameBytes] bytes.
	Label string
	// Lease is how long the member is alive after a renewal, by the store's clock.
	Lease time.Duration
	// Runs are the names of the subscriptions that it takes part in.
	Runs []string
}

// Renewal is what [Subscriptions.Renew] answers.
type Renewal struct {
	// Epoch identifies the log: another one means that the store was replaced
	// by another, so that places mean other events.
	Epoch uuid.UUID
	// Lanes are all lanes that the member owns now, with their checkpoints.
	Lanes []Lane
	// Shares say for each of [Member.Runs], in that order, what is due to it.
	Shares []Share
}

// Share is a member's part of a subscription.
type Share struct {
	Subscription string
	// Lanes are how many lanes the member is to have. It releases what it has
	// beyond that, so that others can take it.
	Lanes int
	// Paused: the subscription has been paused. Missing: there is none of that
	// name, or no more.
	Paused, Missing bool
}

// Subscriptions keeps subscriptions, their lanes and what is parked. All of it is
// rows that tell who has what: nothing depends on a session. Methods are safe for
// concurrent use, each is all or nothing, and each may be repeated after an
// unknown outcome.
//
// A caller that gives a [Hold] which is no longer the lane's changes nothing and
// gets a [*FencedError]: a process that was thought dead, and whose lane another
// one has, does no harm.
//
// Errors of all: an [*InvalidError] for what the checks of this package refuse,
// [*SubscriptionNotFoundError] where one is named that is not there.
type Subscriptions interface { //nolint:interfacebloat // a store keeps one thing, with all that is done to it
	// Open returns the subscription stored under s.Name. If there is none, it
	// stores s with len(s.Lanes) lanes at the places that they have, owned by
	// nobody, and returns that. Of concurrent calls one stores.
	Open(ctx context.Context, s Subscription) (Subscription, error)
	// Find returns the subscription, or a [*SubscriptionNotFoundError].
	Find(ctx context.Context, name string) (Subscription, error)
	// List returns up to limit subscriptions with names after the given one, in
	// the order of the names' bytes.
	List(ctx context.Context, after string, limit int) ([]Subscription, error)

	// Renew keeps the member alive for its lease and divides the lanes of the
	// subscriptions that it takes part in: of L lanes and M living members that
	// run the subscription each is due L/M, and the first L%M in the order of
	// their ids one more. The member gets lanes without an owner, or whose
	// owner's membership has ended, until it has what it is due; nothing is taken
	// from a living owner. It never waits for a lane that another transaction has
	// locked. A paused or missing subscription gives no lanes.
	Renew(ctx context.Context, m Member) (Renewal, error)
	// Release gives lanes up, so that others can have them at once. Lanes that
	// are held no longer are passed over. It need not wait for a lane that another
	// transaction has locked: the others are given up, and those are in the
	// [*LockedError].
	Release(ctx context.Context, holds ...Hold) error
	// Leave gives up all lanes of a member and ends its membership. No such
	// member is no error.
	Leave(ctx context.Context, member uuid.UUID) error

	// Advance moves checkpoints. A lane that is at To already under this token is
	// moved: the reply to an earlier call may have been lost. The others are
	// moved also if some are fenced; those are in the [*FencedError]. Nor do they
	// wait for a lane that another transaction has locked: it may be in a
	// [*LockedError], which may be joined with a [*FencedError] of other lanes.
	Advance(ctx context.Context, moves ...Move) error
	// Report stores what the owner could not do, or with an empty text that it
	// can again. At most [MaxErrorBytes] are kept.
	Report(ctx context.Context, h Hold, message string) error

	// Park stores events that were not handled. One that is parked already at
	// its place is replaced.
	Park(ctx context.Context, h Hold, events ...Parked) error
	// Unpark removes a parked event that has been handled after all. One that is
	// not there is no error.
	Unpark(ctx context.Context, h Hold, key string, at uint64) error
	// Parked returns up to q.Limit parked events, ordered by key and place.
	Parked(ctx context.Context, q ParkedQuery) ([]Parked, error)
	// Mark gives all events of the key that are parked or to be tried again
	// another state, and a reason; it returns how many there were. [ParkedRetry]
	// asks the owner to handle them again, in order, [ParkedDiscarded] removes
	// them from what waits and keeps them for the record.
	Mark(ctx context.Context, name, key string, state ParkedState, reason string) (int, error)

	// Pause takes all lanes from their owners, or with false gives them free
	// again. Here, and where Reset and Rename take lanes, an owner that lives may
	// not know it before its next renewal: until it must know, at the latest when
	// its membership would have ended, only it is given the lane again.
	Pause(ctx context.Context, name string, paused bool) error
	// Reset takes all lanes from their owners and puts them at a place, also
	// back. With drop, it also removes what is parked, skipped and discarded.
	Reset(ctx context.Context, name string, at uint64, drop bool) error
	// Rename gives the subscription another name and takes all lanes from their
	// owners. The new name must be free, else it is a [*SubscriptionExistsError].
	Rename(ctx context.Context, name, to string) error
	// Delete removes the subscription, its lanes and what is parked. The members
	// that run it learn it from their next renewal.
	Delete(ctx context.Context, name string) error
}

// Transactor is implemented by stores that run a handler and its checkpoint in
// one transaction.
type Transactor interface {
	// Transact begins a transaction, calls f with streams in it and with a
	// context from which the store gives the transaction, moves the checkpoint
	// and commits. If f returns an error, or the lane is held no longer or is not
	// at m.From, nothing has happened; f's error is returned as it is.
	//
	// With f's context, Unpark is part of the transaction, and Parked shows what
	// other transactions have unparked before: a parked event that is handled in
	// f is handled once.
	//
	// After any other error nobody knows whether it was committed: the lane's
	// checkpoint, in the next [Renewal], tells. Trying again at once is safe, too:
	// it waits for the first try to end, and is fenced if that was committed.
	Transact(ctx context.Context, m Move, f func(ctx context.Context, s Streams) error) error
}
