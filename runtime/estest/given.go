package estest

import "testing"

// Family is what the decisions of a family are tested with. Make one with [For].
type Family[S, E any] struct {
	tb   testing.TB
	fold func(...E) S
}

// For begins a test of decisions. fold is the family's generated Fold.
func For[S, E any](tb testing.TB, fold func(...E) S) Family[S, E] {
	return Family[S, E]{tb: tb, fold: fold}
}

// Given folds what has happened into the state in which something is to be decided.
// No events are a new stream.
func (f Family[S, E]) Given(events ...E) Case[S, E] {
	f.tb.Helper()
	return Case[S, E]{tb: f.tb, state: f.fold(events...)}
}

// Case is a state in which something is to be decided. Get one from [Family.Given].
type Case[S, E any] struct {
	tb    testing.TB
	state S
}

// When calls decide with the state, once.
func (c Case[S, E]) When(decide func(S) ([]E, error)) Outcome[E] {
	c.tb.Helper()
	return When(c.tb, c.state, decide)
}
