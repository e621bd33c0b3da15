package store

import (
	"errors"
	"fmt"
	"strings"

	"github.com/esgen/esgen/internal/printable"
)

// Errors of subscriptions, for [errors.Is].
var (
	// ErrFenced: the lane has another owner, or was taken from its owner.
	ErrFenced = errors.New("lane is held no longer")
	// ErrSubscriptionNotFound: there is no subscription of that name.
	ErrSubscriptionNotFound = errors.New("subscription not found")
	// ErrSubscriptionExists: there is one of that name.
	ErrSubscriptionExists = errors.New("subscription exists")
)

// FencedError tells that lanes were not the caller's any more, or were not where
// it believed them. Nothing of theirs was changed.
type FencedError struct {
	// Holds are what the caller believed.
	Holds []Hold
}

func (e *FencedError) Error() string {
	words := make([]string, len(e.Holds))
	for i, h := range e.Holds {
		words[i] = fmt.Sprintf("lane %d of subscription %s is held with token %d no longer", h.Lane, printable.Name(h.Subscription), h.Token)
	}
	return strings.Join(words, ", ") + ": another process has it, or it was paused, reset, renamed or deleted"
}

// Is tells that target is [ErrFenced].
func (e *FencedError) Is(target error) bool { return target == ErrFenced }

// LockedError tells that another transaction has lanes locked, so that nothing of
// theirs was changed: a handler's that is under way, or one of a client that is gone,
// which the server ends when it has idled for too long. The same call may succeed later.
type LockedError struct {
	// Holds are those of the lanes.
	Holds []Hold
}

func (e *LockedError) Error() string {
	words := make([]string, len(e.Holds))
	for i, h := range e.Holds {
		words[i] = fmt.Sprintf("lane %d of subscription %s", h.Lane, printable.Name(h.Subscription))
	}
	return strings.Join(words, ", ") + ": another transaction has it locked; try again when that has ended"
}

// Retryable tells that the same call may succeed later.
func (e *LockedError) Retryable() bool { return true }

// SubscriptionNotFoundError tells that there is no subscription of that name.
type SubscriptionNotFoundError struct{ Name string }

func (e *SubscriptionNotFoundError) Error() string {
	return fmt.Sprintf("subscription %s not found", printable.Name(e.Name))
}

// Is tells that target is [ErrSubscriptionNotFound].
func (e *SubscriptionNotFoundError) Is(target error) bool { return target == ErrSubscriptionNotFound }

// SubscriptionExistsError tells that the name is taken.
type SubscriptionExistsError struct{ Name string }

func (e *SubscriptionExistsError) Error() string {
	return fmt.Sprintf("subscription %s exists: choose another name, or delete it first", printable.Name(e.Name))
}

// Is tells that target is [ErrSubscriptionExists].
func (e *SubscriptionExistsError) Is(target error) bool { return target == ErrSubscriptionExists }
