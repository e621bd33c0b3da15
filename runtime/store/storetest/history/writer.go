package history

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
)

// writer does one thing after the other, and writes down what it is told before
// it goes on.
type writer struct {
	Config
	log    *log
	random *rand.Rand
	name   string

	ops, made int
	// known are the versions of streams, as far as the writer was told.
	known map[string]int64
	// past are appends whose ids may be sent again.
	past []intent
	// toLink are ids that may be linked.
	toLink []uuid.UUID
	// noted are all ids that ever were in toLink.
	noted map[uuid.UUID]bool
}

// intent is an append before it is made.
type intent struct {
	op      int
	batches []batch
	alone   bool
	// again tells that it may be sent again as one append.
	again bool
	// once tells that it is tried only once.
	once bool
	// stored tells that it was.
	stored bool
}

func (w *writer) run(ctx context.Context) error {
	for n := 0; ctx.Err() == nil && (w.Ops == 0 || n < w.Ops); n++ {
		if err := w.step(ctx); err != nil {
			return err
		}
		pause(ctx, time.Duration(w.random.Int64N(int64(w.Pause)+1)))
	}
	return nil
}

func (w *writer) step(ctx context.Context) error {
	switch chance := w.random.IntN(100); {
	case chance < 5 && len(w.past) > 0:
		return w.again(ctx)
	case chance < 15 && w.InTx != nil:
		return w.transaction(ctx)
	case chance < 19 && w.Delete != nil:
		return w.doom(ctx)
	case chance < 23 && len(w.toLink) > 0 && w.linker() != nil:
		return w.link(ctx, w.linker())
	case chance < 25 && w.deleter() != nil:
		return w.hide(ctx, w.deleter())
	case chance < 30:
		stream, _ := w.stream()
		if w.random.IntN(4) == 0 {
			stream = listName(w.random.IntN(lists))
		}
		return w.look(ctx, stream)
	default:
		return w.append(ctx, w.intent())
	}
}

// linker is nil for a store that has no links.
func (w *writer) linker() store.Linker {
	if !w.Store.Capabilities().Has(store.Links) {
		return nil
	}
	linker, _ := w.Store.(store.Linker)
	return linker
}

// append tries until it knows, then goes on. stop ends what waits between tries
// only: an append that has begun is never left for no reason.
func (w *writer) append(stop context.Context, in intent) error {
	const maxTries = 30
	for try := 1; ; try++ {
		o, err := w.try(stop, &in, try)
		if err != nil {
			return err
		}
		unresolved := o.Kind == kindUnknown || try > 1 && o.Kind == kindRefused && (o.Why == whyGone || o.Why == whyEnded)
		if o.Why == whyGone || o.Kind == kindUnknown {
			pause(stop, time.Duration(20+w.random.IntN(100))*time.Millisecond)
		}
		// An outcome that stays unknown is a truth of its own.
		if !unresolved || in.once || try == maxTries || stop.Err() != nil && try > 3 || w.random.IntN(12) == 0 {
			return nil
		}
	}
}

func (w *writer) try(stop context.Context, in *intent, try int) (record, error) {
	if err := w.log.write(record{Kind: kindIntent, Op: in.op, Batches: in.batches, Alone: in.alone}); err != nil {
		return record{}, err
	}
	ctx, cancel := w.context(stop, try)
	defer cancel()
	answer, err := w.Store.Append(ctx, storeBatches(w.Store.Format(), in.batches)...)
	o := outcomeOf(in.batches, answer, err)
	o.Op = in.op
	w.learn(in, o)
	return o, w.log.write(o)
}

// context is that of a try; that of a first one is now and then ended early.
func (w *writer) context(stop context.Context, try int) (context.Context, context.CancelFunc) {
	ctx := context.WithoutCancel(stop)
	switch chance := w.random.IntN(100); {
	case try > 1:
		return context.WithTimeout(ctx, w.Timeout)
	case chance < 1:
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		return ctx, cancel
	case chance < 6:
		return context.WithTimeout(ctx, time.Duration(w.random.IntN(15_000))*time.Microsecond)
	default:
		return context.WithTimeout(ctx, w.Timeout)
	}
}

// learn keeps what an answer tells of versions, and what may be sent again.
func (w *writer) learn(in *intent, o record) {
	for _, a := range o.Appended {
		if !a.Duplicate {
			w.known[a.Stream] = a.Version
		}
	}
	if o.Why == whyConflict {
		w.known[o.Stream] = o.Version
	}
	if len(w.known) > 300 {
		clear(w.known)
	}
	if in.stored = o.Kind == kindStored; in.stored && in.again {
		w.linkable(in.batches[0])
	}
	if in.again && (in.stored || o.Kind == kindRefused) && w.random.IntN(4) == 0 {
		if w.past = append(w.past, *in); len(w.past) > 20 {
			w.past = w.past[1:]
		}
	}
}

// again sends ids once more: the whole append as it was, or under another number,
// or one of its events amid new ones in another stream.
func (w *writer) again(ctx context.Context) error {
	old := w.past[w.random.IntN(len(w.past))]
	w.ops++
	in := intent{op: w.ops, batches: old.batches, again: true}
	switch w.random.IntN(3) {
	case 0:
	case 1: // decided anew
		in.batches = make([]batch, len(old.batches))
		for i, b := range old.batches {
			b.Expected = int64(store.Any)
			in.batches[i] = b
		}
	default:
		in = w.intent()
		from := old.batches[w.random.IntN(len(old.batches))].IDs
		in.batches[0].IDs = append([]idRun{{from[0].ID, 1}}, in.batches[0].IDs...)
	}
	in.alone = false
	return w.append(ctx, in)
}

// look reads the version of a stream and writes it down.
func (w *writer) look(stop context.Context, stream string) error {
	begin := clock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(stop), w.Timeout)
	defer cancel()
	var version int64
	for r, err := range w.Store.Read(ctx, store.Query{Stream: stream, Backward: true, Limit: 1}) {
		if errors.Is(err, store.ErrStreamNotFound) {
			break
		}
		if err != nil {
			return nil // nothing was learnt
		}
		version = int64(r.Version)
	}
	w.known[stream] = version
	return w.log.write(record{Kind: kindLooked, Begin: begin, Stream: stream, Version: version})
}

// doom makes a stream and deletes it for good. Its name is never used again.
func (w *writer) doom(ctx context.Context) error {
	in := w.newIntent()
	in.batches = []batch{{Stream: w.fresh("doomed"), Expected: int64(store.NoStream), IDs: w.ids()}}
	if err := w.append(ctx, in); err != nil {
		return err
	}
	if w.random.IntN(3) == 0 {
		pause(ctx, time.Duration(w.random.IntN(100))*time.Millisecond)
	}
	w.ops++
	op, stream := w.ops, in.batches[0].Stream
	for range 5 {
		if err := w.log.write(record{Kind: kindIntent, Op: op, Delete: stream}); err != nil {
			return err
		}
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.Timeout)
		err := w.Delete(limited, stream)
		cancel()
		o := record{Kind: kindStored, Op: op}
		if err != nil {
			// Whether a deletion that failed has happened is for the next one to say.
			o = record{Kind: kindUnknown, Op: op, Text: err.Error()}
		}
		if err := w.log.write(o); err != nil {
			return err
		}
		if err == nil || errors.Is(err, store.ErrStreamNotFound) {
			return nil
		}
		pause(ctx, 50*time.Millisecond)
	}
	return nil
}
