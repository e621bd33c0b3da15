package history

import (
	"context"
	"errors"
	"time"

	"github.com/esgen/esgen/runtime/store"
)

var errRollback = errors.New("history: rolled back on purpose")

// transaction appends to one to three streams, or to one of them twice, in a
// transaction of the caller's, which it holds open for a while and then commits
// or rolls back. What it does is written down as one append.
func (w *writer) transaction(stop context.Context) error {
	in := w.newIntent()
	for range 1 + w.random.IntN(3) {
		stream, fresh := w.stream()
		expected := w.expected(stream, fresh)
		if w.random.IntN(3) > 0 {
			expected = int64(store.Any)
		}
		in.batches = append(in.batches, batch{Stream: stream, Expected: expected, IDs: w.ids()})
	}
	if err := w.log.write(record{Kind: kindIntent, Op: in.op, Batches: in.batches, Tx: true}); err != nil {
		return err
	}
	hold := w.hold()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(stop), 2*w.Timeout+hold+w.Hold)
	defer cancel()
	var answer []store.Appended
	var refused, broken error
	committed, err := w.InTx(ctx, func(ctx context.Context, s store.Streams) error {
		answer, refused = nil, nil
		for i, b := range storeBatches(w.Store.Format(), in.batches) {
			a, err := s.Append(ctx, b)
			if err == nil && len(a) != 1 {
				broken = w.log.write(record{Kind: kindProblem, Why: ruleAnswer, Op: in.op, Text: "an append of one batch in a transaction answered another number"})
				err = errRollback
			}
			if err != nil {
				refused = err
				return err
			}
			answer = append(answer, a[0])
			if i == 0 && w.random.IntN(4) == 0 {
				if broken = w.twin(stop, in); broken != nil {
					return broken
				}
			}
			pause(stop, hold/time.Duration(len(in.batches)))
		}
		if w.random.IntN(3) == 0 {
			return errRollback
		}
		return nil
	})
	if broken != nil {
		return broken
	}
	if err == nil && committed != nil {
		answer = positioned(answer, committed)
	}
	o := outcomeOf(in.batches, answer, err)
	switch {
	case err == nil:
	case errors.Is(err, errRollback):
		o = record{Kind: kindRefused, Why: whyRollback}
	case refused != nil:
		// It was never asked to commit.
		if o = outcomeOf(in.batches, nil, refused); o.Kind == kindUnknown {
			o = record{Kind: kindRefused, Why: whyGone, Text: refused.Error()}
		}
		fallthrough
	default:
		if retry, ok := errors.AsType[interface {
			error
			Retryable() bool
		}](err); ok && retry.Retryable() && o.Why == whyOther {
			o.Why = whyRetry
		}
	}
	o.Op = in.op
	if err := w.log.write(o); err != nil {
		return err
	}
	w.learn(&in, o)
	return nil
}

// positioned puts what a commit tells in the place of what was told before it. What
// does not fit is left to the checker, as an answer that nobody may give.
func positioned(answer, committed []store.Appended) []store.Appended {
	all := make([]store.Appended, 0, len(answer))
	for _, a := range answer {
		if !a.Duplicate {
			if len(committed) == 0 || committed[0].Stream != a.Stream || committed[0].Version != a.Version {
				return nil
			}
			a, committed = committed[0], committed[1:]
		}
		all = append(all, a)
	}
	if len(committed) > 0 {
		return nil
	}
	return all
}

// hold chooses how long a transaction stays open: mostly for a moment.
func (w *writer) hold() time.Duration {
	switch w.random.IntN(10) {
	case 0:
		return time.Duration(w.random.Int64N(int64(w.Hold) + 1))
	case 1, 2, 3:
		return time.Duration(w.random.Int64N(int64(w.Hold)/20 + 1))
	default:
		return 0
	}
}

// twin appends, outside the open transaction of in, one of its ids to another
// stream. One of both is refused, and nobody waits for it.
func (w *writer) twin(stop context.Context, in intent) error {
	other := w.newIntent()
	other.once = true
	other.batches = []batch{{Stream: w.fresh("new"), Expected: int64(store.NoStream), IDs: []idRun{{in.batches[0].IDs[0].ID, 1}}}}
	return w.append(stop, other)
}
