package history

import (
	"context"
	"errors"
	"time"

	"github.com/esgen/esgen/runtime/store"
)

// What a writer knows of a stream that it has hidden.
const (
	hidden = "hidden"
	there  = "there"
)

// deleter is nil for a store that deletes nothing.
func (w *writer) deleter() store.Deleter {
	if !w.Store.Capabilities().Has(store.Deletes) {
		return nil
	}
	deleter, _ := w.Store.(store.Deleter)
	return deleter
}

// hide makes a stream, deletes it softly, tries what is refused then, and now and
// then makes it what it was.
func (w *writer) hide(ctx context.Context, deleter store.Deleter) error {
	in := w.newIntent()
	stream := w.fresh(hidden)
	in.batches = []batch{{Stream: stream, Expected: int64(store.NoStream), IDs: w.ids()}}
	if err := w.append(ctx, in); err != nil || w.known[stream] == 0 {
		return err
	}
	done, once, err := w.insist(ctx, stream, func(ctx context.Context) error {
		return deleter.Delete(ctx, stream, store.Any, store.Soft)
	})
	if err != nil || !done {
		return err
	}
	if err := w.log.write(record{Kind: kindHidden, Stream: stream, Why: hidden}); err != nil {
		return err
	}
	if err := w.refused(ctx, stream); err != nil {
		return err
	}
	// A request that was lost may arrive late, and would hide the stream again.
	if !once || w.random.IntN(2) == 0 {
		return nil
	}
	// Until that is known, it may be either.
	if err := w.log.write(record{Kind: kindHidden, Stream: stream}); err != nil {
		return err
	}
	done, _, err = w.insist(ctx, stream, func(ctx context.Context) error { return deleter.Undelete(ctx, stream) })
	if err != nil || !done {
		return err
	}
	if err := w.log.write(record{Kind: kindHidden, Stream: stream, Why: there}); err != nil {
		return err
	}
	if err := w.look(ctx, stream); err != nil {
		return err
	}
	in = w.newIntent()
	in.batches = []batch{{Stream: stream, Expected: w.known[stream], IDs: w.ids()}}
	return w.append(ctx, in)
}

// insist tries until something is done, or gives up; once tells that the first try
// was answered.
func (w *writer) insist(stop context.Context, stream string, do func(context.Context) error) (done, once bool, _ error) {
	for try := range 5 {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(stop), w.Timeout)
		err := do(ctx)
		cancel()
		switch {
		case err == nil, try > 0 && errors.Is(err, store.ErrStreamDeleted):
			return true, try == 0, nil
		case !errors.Is(err, store.ErrUnavailable) && !errors.Is(err, context.DeadlineExceeded):
			return false, false, w.log.write(record{Kind: kindProblem, Why: ruleAnswer, Text: "hide or show " + stream + ": " + err.Error()})
		}
		pause(stop, 50*time.Millisecond)
	}
	return false, false, nil
}

// refused appends to a stream that is hidden, and reads it.
func (w *writer) refused(ctx context.Context, stream string) error {
	in := w.newIntent()
	in.batches = []batch{{Stream: stream, Expected: int64(store.Any), IDs: w.ids()}}
	o, err := w.try(ctx, &in, 2)
	if err != nil {
		return err
	}
	if o.Kind == kindStored {
		err = w.log.write(record{Kind: kindProblem, Why: ruleAnswer, Text: stream + " was deleted softly, and took an append"})
	}
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.Timeout)
	defer cancel()
	for r, failed := range w.Store.Read(limited, store.Query{Stream: stream, Limit: 1}) {
		if failed == nil {
			return errors.Join(err, w.log.write(record{Kind: kindProblem, Why: ruleAnswer, Text: stream + " was deleted softly, and showed " + seenOf(r).String()}))
		}
	}
	return err
}

// hiding holds what is hidden in the end against what writers knew.
func (c *checker) hiding() {
	for stream, is := range c.shows {
		if was := c.hidden[stream]; was != "" && was != is {
			c.problemf(ruleLost, "%s is %s, but was %s", stream, is, was)
		}
	}
}
