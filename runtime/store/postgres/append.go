package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/esgen/esgen/internal/printable"
	"github.com/esgen/esgen/runtime/store"
)

// maxAppendBytes bounds data and metadata of one append together. PostgreSQL
// takes an array of less than 1 GiB, and text modes double the size of bytes.
const maxAppendBytes = 256 << 20

// Append stores all batches or none, as [store.Streams] describes, in one round
// trip. Appends of concurrent callers share transactions, each with an answer of
// its own; a caller that is alone waits for nobody. An append to a stream that an
// open transaction has changed waits for that one, and delays no other. In one call
// at most 256 MiB of data and metadata are stored.
//
// If ctx ends before the append was sent, nothing is stored; if it ends later, the
// answer is a [*store.UnknownOutcomeError]. After [Store.Close] the error is
// [store.ErrClosed].
func (s *Store) Append(ctx context.Context, batches ...store.Batch) ([]store.Appended, error) {
	return s.observed.Append(ctx, batches, func(ctx context.Context) ([]store.Appended, error) {
		return s.appendAll(ctx, batches)
	})
}

func (s *Store) appendAll(ctx context.Context, batches []store.Batch) ([]store.Appended, error) {
	a, err := s.appending(ctx, batches)
	if err != nil {
		return nil, err
	}
	if err := store.Ended(ctx, a.op); err != nil {
		return nil, err
	}
	ctx, cancel := store.WithTimeout(ctx, s.config.Timeout)
	defer cancel()
	appended, err := a.inCompany(ctx)
	if errors.Is(err, store.ErrUnknownOutcome) {
		s.logUnknown(ctx, a, err)
	}
	if err == nil && slices.ContainsFunc(appended, func(a store.Appended) bool { return !a.Duplicate }) {
		s.ring()
	}
	return appended, err
}

// appending is one call of Append.
type appending struct {
	s       *Store
	op      string
	batches []store.Batch
	// columns are the batches' events, nil if the protocol has no binary form.
	columns       []*eventColumns
	events, bytes int
	// fresh tells that all ids were made for this call, so that nobody can have
	// stored them before it.
	fresh bool

	// grouped is the append's place among those of other callers.
	grouped
	// blocking is set when a call met a busy stream: the next one waits for it.
	blocking bool
	// began tells that the last call began a transaction of its own.
	began bool
	// garbled tells that the last reply came, and could not be understood.
	garbled bool
	// lost is why an earlier reply is missing. From then on only an answer about
	// these events ends the call: they may be stored, or about to be.
	lost error
}

func (s *Store) appending(ctx context.Context, given []store.Batch) (*appending, error) {
	batches, err := store.Prepare(ctx, s.config.Now(), given)
	if err != nil {
		return nil, err
	}
	a := &appending{s: s, op: opAppend + " " + printable.Name(batches[0].Stream), batches: batches, fresh: true}
	for i, b := range batches {
		a.events += len(b.Events)
		for j := range b.Events {
			a.bytes += len(b.Events[j].Data) + len(b.Events[j].Metadata)
			a.fresh = a.fresh && given[i].Events[j].ID == uuid.Nil
		}
	}
	if a.bytes > maxAppendBytes {
		return nil, &store.InvalidError{What: a.op, Reason: fmt.Sprintf(
			"%d bytes of data and metadata in one append, at most %d are stored; append in several calls", a.bytes, maxAppendBytes)}
	}
	// The events' bytes are the caller's again when it returns, which may be before a
	// flush is encoded, and before an UnknownOutcomeError is resolved.
	if s.binary {
		a.columns = make([]*eventColumns, len(batches))
	}
	for i, b := range batches {
		if s.binary {
			a.columns[i] = columnsOf(b.Events)
			continue
		}
		for j := range b.Events {
			e := &b.Events[j]
			e.Data, e.Metadata = slices.Clone(e.Data), slices.Clone(e.Metadata)
		}
	}
	return a, nil
}

// inCompany appends with the calls of others if it can, else alone.
func (a *appending) inCompany(ctx context.Context) ([]store.Appended, error) {
	if err := a.s.queue.enter(a.op); err != nil {
		return nil, err
	}
	defer a.s.queue.exit()
	if a.s.config.NoGroupCommit || a.events > maxFlushEvents || a.bytes > maxFlushBytes {
		return a.alone(ctx)
	}
	v, err := a.s.queue.wait(ctx, a)
	switch {
	case err != nil:
		return nil, err
	case v.kind == verdictStored:
		return v.appended, nil
	case v.kind == verdictRefused:
		appended, done, err := a.resolve(ctx, v.refusal)
		if done {
			return appended, err
		}
		if err != nil {
			return nil, a.s.explain(ctx, a.op, err)
		}
	}
	a.lost, a.blocking = v.lost, v.kind == verdictBusy
	return a.alone(ctx)
}

// verdict is what the database answered an append.
type verdict struct {
	kind     verdictKind
	appended []store.Appended
	// refusal is why nothing was stored.
	refusal error
	// lost is why it is not known whether something was.
	lost error
}

type verdictKind int

const (
	// verdictUnknown: there was no answer to this append.
	verdictUnknown verdictKind = iota
	verdictStored
	verdictRefused
	// verdictBusy: somebody else is changing one of its streams.
	verdictBusy
	// verdictDuplicate: some of its events are stored already.
	verdictDuplicate
)

// opAppend is what errors say was attempted.
const opAppend = "append to"

// Outcomes of a stream, as the functions name them.
const (
	outcomeStored = iota
	outcomeConflict
	outcomeBusy
	outcomeDeleted
	outcomeHeldUp // by another stream of its append
	outcomeDuplicate
)

// fate is what became of one batch.
type fate struct {
	outcome int32
	// version of its stream before it.
	version store.Version
	// before is the position before that of its first event; 0 if there is none yet.
	before store.Position
}

// judge makes an answer of what became of the batches.
func (a *appending) judge(fateOf func(batch int) fate, positioned bool) verdict {
	v := verdict{kind: verdictStored, appended: make([]store.Appended, len(a.batches))}
	for i, b := range a.batches {
		f := fateOf(i)
		switch f.outcome {
		case outcomeStored, outcomeHeldUp:
			n := len(b.Events)
			v.appended[i] = store.Appended{Stream: b.Stream, Version: f.version + store.Version(n)}
			if positioned {
				v.appended[i].First, v.appended[i].Last = f.before+1, f.before+store.Position(n)
			}
		case outcomeBusy:
			return verdict{kind: verdictBusy}
		case outcomeDuplicate:
			return verdict{kind: verdictDuplicate}
		case outcomeDeleted:
			if v.kind != verdictRefused {
				v = verdict{kind: verdictRefused, appended: v.appended, refusal: &store.StreamDeletedError{Op: opAppend, Stream: b.Stream}}
			}
		case outcomeConflict:
			if v.kind != verdictRefused {
				v = verdict{kind: verdictRefused, appended: v.appended, refusal: &store.ConflictError{Op: opAppend, Stream: b.Stream, Expected: b.Expected, Actual: f.version}}
			}
		default:
			return verdict{kind: verdictRefused, refusal: fmt.Errorf("%s: outcome %d of stream %s; the store's functions are of another release", a.op, f.outcome, printable.Name(b.Stream))}
		}
	}
	return v
}

// giveUp says what is known when ctx has ended before there was an answer.
func (a *appending) giveUp(ctx context.Context) error {
	switch cause := store.Ended(ctx, ""); {
	case a.lost == nil:
		return store.Ended(ctx, a.op)
	case errors.Is(a.lost, ctx.Err()):
		return &store.UnknownOutcomeError{Batches: a.batches, Err: cause}
	default:
		return &store.UnknownOutcomeError{Batches: a.batches, Err: fmt.Errorf("%w; the database did not say more: %w", a.lost, cause)}
	}
}
