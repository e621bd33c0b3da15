package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
)

// place is where an event stands. Position is 0 if nobody said.
type place struct {
	id       uuid.UUID
	stream   string
	version  store.Version
	position store.Position
}

func places(recorded []store.Recorded) []place {
	found := make([]place, len(recorded))
	for i, r := range recorded {
		found[i] = place{r.ID, r.Stream, r.Version, r.Position}
	}
	return found
}

// ledger is what one writer was told.
type ledger struct {
	stored  []place
	refused int
}

// add writes down where appended says that events are. The positions between
// the first and the last are not said.
func (l *ledger) add(b store.Batch, a store.Appended) {
	last := len(b.Events) - 1
	for i, e := range b.Events {
		p := place{id: e.ID, stream: b.Stream, version: a.Version - store.Version(last-i)}
		switch i {
		case last:
			p.position = a.Last
		case 0:
			p.position = a.First
		}
		l.stored = append(l.stored, p)
	}
}

// writer appends in every way there is, and knows which answers are right.
type writer struct {
	f      *fixture
	n      int
	store  store.Store
	random *rand.Rand
	ledger *ledger
	own    store.Version // of the stream that only this writer appends to
	made   int           // new streams
}

// mostAppends ends a writer on a fast store, before the readers' share of the
// work outgrows a test.
const mostAppends = 400

// leastAppends are made also when that takes longer.
const leastAppends = 20

func (w *writer) run(end time.Time) {
	for i := 0; i < mostAppends && (i < leastAppends || time.Now().Before(end)); i++ {
		if err := w.step(); err != nil {
			w.f.Errorf("writer %d, append %d: %v", w.n, i+1, err)
			return
		}
	}
}

func (w *writer) step() error {
	own := fmt.Sprintf("own-%d", w.n)
	switch chance := w.random.IntN(100); {
	case chance < 25:
		return w.succeed(w.newStream())
	case chance < 45:
		return w.succeed(batch("hot-1", store.Any, identified(1+w.random.IntN(3))...))
	case chance < 55:
		return w.succeed(batch("hot-1", store.StreamExists, identified(1)...))
	case chance < 70:
		return w.succeed(batch(own, w.own, identified(1+w.random.IntN(50))...))
	case chance < 80:
		return w.contest()
	case chance < 90 || !w.f.setup.Declares.Has(store.SeveralStreams):
		return w.fail(own, batch(own, w.own+3, identified(2)...))
	case chance < 97:
		return w.succeed(
			batch("hot-1", store.Any, identified(2)...), w.newStream(), batch(own, w.own, identified(3)...),
		)
	default:
		return w.fail(own, batch("hot-1", store.Any, identified(2)...), w.newStream(), batch(own, w.own+1, identified(1)...))
	}
}

func (w *writer) newStream() store.Batch {
	w.made++
	return batch(fmt.Sprintf("new-%d-%d", w.n, w.made), store.NoStream, identified(1+w.random.IntN(5))...)
}

// succeed appends what nothing can be in the way of.
func (w *writer) succeed(batches ...store.Batch) error {
	appended, err := w.store.Append(w.f.ctx, batches...)
	if err != nil {
		return fmt.Errorf("append %s, which nothing stands against: %w", describe(batches), err)
	}
	if len(appended) != len(batches) {
		return fmt.Errorf("append %s answered %+v", describe(batches), appended)
	}
	own := fmt.Sprintf("own-%d", w.n)
	for i, b := range batches {
		a := appended[i]
		if a.Duplicate || a.Stream != b.Stream {
			return fmt.Errorf("append %s answered %+v", describe(batches), a)
		}
		if b.Stream == own {
			if w.own += store.Version(len(b.Events)); a.Version != w.own {
				return fmt.Errorf("append %s answered version %d, want %d", describe(batches), a.Version, w.own)
			}
		}
		w.ledger.add(b, a)
	}
	return nil
}

// fail appends with a version of the writer's own stream that is wrong.
func (w *writer) fail(own string, batches ...store.Batch) error {
	_, err := w.store.Append(w.f.ctx, batches...)
	if err == nil {
		return fmt.Errorf("append %s, while %s is at %d, succeeded, want a conflict", describe(batches), own, int64(w.own))
	}
	conflict, ok := as[*store.ConflictError](err)
	if !ok {
		return fmt.Errorf("append %s, while %s is at %d: %w, want a conflict", describe(batches), own, int64(w.own), err)
	}
	if conflict.Stream != own || conflict.Actual != w.own {
		return fmt.Errorf("append %s, while %s is at %d: the conflict says %+v", describe(batches), own, int64(w.own), *conflict)
	}
	w.ledger.refused++
	return nil
}

// contest appends behind the last version that it has read, which others do too.
func (w *writer) contest() error {
	version, err := versionOf(w.f.ctx, w.store, "contested-1")
	if err != nil {
		return err
	}
	b := batch("contested-1", version, identified(1+w.random.IntN(3))...)
	appended, err := appendOne(w.f.ctx, w.store, b)
	if err == nil {
		w.ledger.add(b, appended)
		return nil
	}
	conflict, ok := as[*store.ConflictError](err)
	if !ok || conflict.Actual <= version {
		return fmt.Errorf("append %s: %w, want a conflict with a later version", describe([]store.Batch{b}), err)
	}
	w.ledger.refused++
	return nil
}

func versionOf(ctx context.Context, s store.Streams, stream string) (store.Version, error) {
	last, err := collect(ctx, s, store.Query{Stream: stream, Backward: true, Limit: 1})
	if errors.Is(err, store.ErrStreamNotFound) {
		return store.NoStream, nil
	}
	if err != nil {
		return 0, err
	}
	if len(last) != 1 {
		return 0, fmt.Errorf("read the last event of %s: %d events and no error", stream, len(last))
	}
	return last[0].Version, nil
}
