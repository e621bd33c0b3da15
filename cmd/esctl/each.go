package main

import (
	"context"
	"errors"
	"fmt"
)

// outcome is what a verb did with one store, as programs are told.
type outcome struct {
	Store string `json:"store"`
	// Result is empty after an error.
	Result string `json:"result,omitempty"`
	Error  string `json:"error,omitempty"`
	// Details depend on the verb.
	Details any `json:"details,omitempty"`
}

// work is what a verb does with a store. It says what it did in a few words; of a
// [foundError] what it says counts as well.
type work func(ctx context.Context, t target) (outcome, error)

// each lets act work on one store after the other, and prints what it did.
func (s shell) each(ctx context.Context, all []target, act work) error {
	outcomes, err := s.visit(ctx, all, act)
	if s.json || len(outcomes) == 0 || len(all) == 1 && outcomes[0].Error != "" {
		return err
	}
	var t table
	t.row("STORE", "RESULT")
	for _, o := range outcomes {
		t.row(o.Store, o.said())
	}
	t.print(s.stdout)
	return err
}

// visit lets act work on one store after the other, and tells programs. One that
// fails does not stop the rest; the error then counts them.
func (s shell) visit(ctx context.Context, all []target, act work) (outcomes []outcome, _ error) {
	var fails, finds int
	var last error
	bar := s.bar(s.verb, int64(len(all)), false)
	for _, store := range all {
		if ctx.Err() != nil {
			return outcomes, context.Cause(ctx)
		}
		o, err := act(ctx, store)
		_ = bar.Add(1)
		o.Store = store.Name()
		if _, found := errors.AsType[foundError](err); found {
			finds, last = finds+1, err
		} else if err != nil {
			fails, last = fails+1, err
			o.Result, o.Error = "", err.Error()
		}
		outcomes = append(outcomes, o)
		if s.json {
			if err := s.object(o); err != nil {
				return outcomes, err
			}
		}
	}
	_ = bar.Finish()
	switch {
	case len(all) == 1:
		return outcomes, last
	case fails > 0:
		return outcomes, fmt.Errorf("%d of %s failed", fails, count(len(all), "store"))
	case finds > 0:
		return outcomes, foundError{fmt.Sprintf("%d of %s: %v", finds, count(len(all), "store"), last)}
	}
	return outcomes, nil
}

func (o outcome) said() string {
	if o.Error != "" {
		return "failed: " + o.Error
	}
	return o.Result
}
