// Package estest tests decisions without a store: given what has happened, when
// something is decided, then these events follow, or this error.
//
//	estest.For(t, bank.Fold).
//		Given(bank.AccountOpened{Owner: "ada"}).
//		When(bank.Deposit(50_00)).
//		Then(bank.MoneyDeposited{Amount: 50_00})
//
// What needs a store, such as commands, gets a [Store]: times and ids are known to the
// test, and [Store.Overtake] makes a conflict happen when it is wanted.
//
// It imports testing and is for tests only.
package estest

import (
	"errors"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Outcome is what was decided. Ask it with [Outcome.Then] or [Outcome.ThenError].
type Outcome[E any] struct {
	tb     testing.TB
	events []E
	err    error
}

// When calls decide with the state given. Decide is not called again, nor are its
// events applied.
func When[S, E any](tb testing.TB, given S, decide func(S) ([]E, error)) Outcome[E] {
	tb.Helper()
	events, err := decide(given)
	return Outcome[E]{tb: tb, events: events, err: err}
}

// Then fails the test at once unless exactly these events were decided, in this
// order, and shows the difference; no events means that nothing was to happen.
// Events are compared by content, including unexported fields, and by an Equal
// method where a value has one, as [time.Time] has.
func (o Outcome[E]) Then(events ...E) {
	o.tb.Helper()
	if o.err != nil {
		o.tb.Fatalf("decided on an error instead of %d events: %v", len(events), o.err)
	}
	// The empty and the nil slice are both no events.
	got, want := append([]E{}, o.events...), append([]E{}, events...)
	everything := cmp.Exporter(func(reflect.Type) bool { return true })
	if diff := cmp.Diff(want, got, everything); diff != "" {
		o.tb.Fatalf("decided on other events (-expected +decided):\n%s", diff)
	}
}

// Events returns what was decided, for what Then cannot compare.
func (o Outcome[E]) Events() []E { return o.events }

// Err returns the error that was decided, or nil: for [errors.As], and for texts.
func (o Outcome[E]) Err() error { return o.err }

// ThenError fails the test at once unless an error was decided that is target, by
// [errors.Is]. Events beside an error count as nothing: they would not be stored.
// A nil target fails: that no error was decided is said by [Outcome.Then].
func (o Outcome[E]) ThenError(target error) {
	o.tb.Helper()
	switch {
	case target == nil:
		o.tb.Fatalf("ThenError expects an error, not nil; use Then with the events that are to be decided; decided were %d events and the error: %v", len(o.events), o.err)
	case o.err == nil:
		o.tb.Fatalf("decided on %d events instead of the error %q: %+v", len(o.events), target, o.events)
	case !errors.Is(o.err, target):
		o.tb.Fatalf("decided on another error than %q: %v", target, o.err)
	}
}
