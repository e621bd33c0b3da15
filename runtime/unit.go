package runtime

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/esgen/esgen/runtime/store"
)

// unit is a unit of work: it reads through a store and keeps appends to itself.
type unit struct {
	db store.Streams

	mu      sync.Mutex
	pending map[string]*pending
	// order of the first appends.
	order []*pending
	ended bool
}

// pending is what a unit of work has appended to one stream.
type pending struct {
	batch store.Batch
	// base is the stream's version before the unit's events.
	base store.Version
	// recorded are the same events as reads show them.
	recorded []store.Recorded
}

func (p *pending) version() store.Version { return p.base + store.Version(len(p.recorded)) }

var errEnded = &store.InvalidError{What: "unit of work", Reason: "it has ended; use the streams that es.Atomic passes only until work returns"}

// end returns the appends, one batch per stream, and lets nothing in any more.
func (u *unit) end() []store.Batch {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.ended = true
	batches := make([]store.Batch, len(u.order))
	for i, p := range u.order {
		batches[i] = p.batch
	}
	return batches
}

// Format implements [store.Streams].
func (u *unit) Format() store.Format { return u.db.Format() }

// Append keeps the events for the end. Expectations are checked against the unit's
// own appends now, and against the store at the end; those that name no version
// are also checked now, for the answer must name one.
func (u *unit) Append(ctx context.Context, batches ...store.Batch) ([]store.Appended, error) {
	prepared, err := store.Prepare(ctx, time.Now(), batches)
	if err != nil {
		return nil, err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.ended {
		return nil, errEnded
	}
	targets := make([]*pending, len(prepared))
	for i, b := range prepared {
		if targets[i], err = u.target(ctx, b); err != nil {
			return nil, err
		}
	}
	appended := make([]store.Appended, len(prepared))
	for i, b := range prepared {
		p := targets[i]
		if u.pending[b.Stream] == nil {
			u.pending[b.Stream] = p
			u.order = append(u.order, p)
		} else if b.Expected >= store.NoStream {
			// What was decided by an exact version must not follow an append
			// that takes any: the whole batch has to meet that version.
			p.batch.Expected = p.base
		}
		p.add(b, batches[i])
		appended[i] = store.Appended{Stream: b.Stream, Version: p.version()}
	}
	return appended, nil
}

// target returns where the events of b go, if b's expectation is met.
func (u *unit) target(ctx context.Context, b store.Batch) (*pending, error) {
	p := u.pending[b.Stream]
	if p == nil {
		p = &pending{batch: store.Batch{Stream: b.Stream, Expected: b.Expected}, base: b.Expected}
		if b.Expected >= store.NoStream {
			return p, nil
		}
		var err error
		if p.base, err = versionOf(ctx, u.db, b.Stream); err != nil {
			return nil, err
		}
	}
	if actual := p.version(); !b.Expected.Met(actual) {
		return nil, &store.ConflictError{Stream: b.Stream, Expected: b.Expected, Actual: actual}
	}
	return p, nil
}

// add takes prepared events over. given are the same ones as they came: a time that
// was left open stays open, for it is the store's clock that counts.
func (p *pending) add(prepared, given store.Batch) {
	for i, e := range prepared.Events {
		e.Data, e.Metadata = bytes.Clone(e.Data), bytes.Clone(e.Metadata)
		version := p.version() + 1
		p.recorded = append(p.recorded, store.Recorded{
			Stream: prepared.Stream, Version: version,
			OriginalStream: prepared.Stream, OriginalVersion: version,
			ID: e.ID, Type: e.Type, Revision: e.Revision,
			Correlation: e.Correlation, Causation: e.Causation,
			Format: e.Format, Data: e.Data, Metadata: e.Metadata,
			Time: e.Time,
		})
		e.Time = given.Events[i].Time
		p.batch.Events = append(p.batch.Events, e)
	}
}

func versionOf(ctx context.Context, db store.Streams, stream string) (store.Version, error) {
	for r, err := range db.Read(ctx, store.Query{Stream: stream, Backward: true, Limit: 1}) {
		if errors.Is(err, store.ErrStreamNotFound) {
			return store.NoStream, nil
		}
		return r.Version, err
	}
	return emptied(ctx, db, stream)
}

// emptied returns the version of a stream of which reads show nothing, because it
// was truncated to its end. Only a catalog knows it; without one it is 0.
func emptied(ctx context.Context, db store.Streams, stream string) (store.Version, error) {
	if u, ok := db.(*unit); ok {
		db = u.db
	}
	catalog, ok := db.(store.Catalog)
	if !ok {
		return store.NoStream, nil
	}
	info, err := catalog.StreamInfo(ctx, stream)
	if errors.Is(err, store.ErrStreamNotFound) {
		return store.NoStream, nil
	}
	return info.Version, err
}

// Read reads the store, and for a stream that the unit has appended to the events
// before the unit's, then the unit's.
func (u *unit) Read(ctx context.Context, q store.Query) iter.Seq2[store.Recorded, error] {
	return func(yield func(store.Recorded, error) bool) {
		base, own, err := u.view(q)
		switch {
		case err != nil:
			yield(store.Recorded{}, err)
		case own == nil:
			u.db.Read(ctx, q)(yield)
		case q.Backward:
			u.readBackward(ctx, q, base, own, yield)
		default:
			u.readForward(ctx, q, base, own, yield)
		}
	}
}

func (u *unit) readForward(ctx context.Context, q store.Query, base store.Version, own []store.Recorded, yield func(store.Recorded, error) bool) {
	yielded := 0
	for r, err := range u.before(ctx, q, base) {
		if !yield(r, err) || err != nil {
			return
		}
		yielded++
	}
	if q.Limit > 0 {
		own = own[:min(len(own), q.Limit-yielded)]
	}
	for _, r := range own {
		if !yield(r, nil) {
			return
		}
	}
}

func (u *unit) readBackward(ctx context.Context, q store.Query, base store.Version, own []store.Recorded, yield func(store.Recorded, error) bool) {
	slices.Reverse(own)
	if q.Limit > 0 {
		own = own[:min(len(own), q.Limit)]
	}
	for _, r := range own {
		if !yield(r, nil) {
			return
		}
	}
	if q.Limit > 0 && len(own) == q.Limit {
		return
	}
	if q.Limit > 0 {
		q.Limit -= len(own)
	}
	if q.FromVersion == 0 || q.FromVersion > base {
		q.FromVersion = base
	}
	u.before(ctx, q, base)(yield)
}

// before yields what q selects of the events up to base. What is behind them was
// appended by others meanwhile, and will be a conflict in the end; so will a base
// that the stream does not have, which therefore is no error here.
func (u *unit) before(ctx context.Context, q store.Query, base store.Version) iter.Seq2[store.Recorded, error] {
	return func(yield func(store.Recorded, error) bool) {
		if base == store.NoStream || !q.Backward && q.FromVersion > base {
			return
		}
		for r, err := range u.db.Read(ctx, q) {
			if errors.Is(err, store.ErrStreamNotFound) || err == nil && r.Version > base {
				return
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

// view returns copies of the unit's own events that q selects, in order, and the
// version that they follow. own is nil if the unit has not appended to q.Stream.
func (u *unit) view(q store.Query) (base store.Version, own []store.Recorded, err error) {
	if err := q.Check(); err != nil {
		return 0, nil, err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.ended {
		return 0, nil, errEnded
	}
	p := u.pending[q.Stream]
	if p == nil {
		return 0, nil, nil
	}
	own = []store.Recorded{}
	for _, r := range p.recorded {
		if q.Matches(r) {
			r.Data, r.Metadata = bytes.Clone(r.Data), bytes.Clone(r.Metadata)
			own = append(own, r)
		}
	}
	return p.base, own, nil
}
