package storetest

import (
	"context"
	"errors"
	"iter"
	"sync"
	"time"

	"github.com/esgen/esgen/runtime/store"
)

// together holds one transaction at a time.
var oneTransaction sync.Mutex

// unit collects appends until its transaction ends.
type unit struct {
	*broken
	batches []store.Batch
	unparks []func(context.Context) error
	ended   bool
}

// transactional are subscriptions that know their transaction by the context.
type transactional struct{ store.Subscriptions }

func (k transactional) Unpark(ctx context.Context, h store.Hold, key string, at uint64) error {
	in, _ := store.StreamsFrom(ctx)
	u, ok := in.(*unit)
	if !ok {
		return k.Subscriptions.Unpark(ctx, h, key, at)
	}
	if s, err := k.Find(ctx, h.Subscription); err != nil || s.Lanes[h.Lane].Token != h.Token {
		return &store.FencedError{Holds: []store.Hold{h}}
	}
	u.unparks = append(u.unparks, func(ctx context.Context) error { return k.Subscriptions.Unpark(ctx, h, key, at) })
	return nil
}

var errUnitEnded = errors.New("the transaction has ended")

func (u *unit) Append(ctx context.Context, batches ...store.Batch) ([]store.Appended, error) {
	if u.ended {
		return nil, errUnitEnded
	}
	batches, err := store.Prepare(ctx, time.Now(), batches)
	if err != nil {
		return nil, err
	}
	var appended []store.Appended
	for _, b := range batches {
		version, _ := versionOf(ctx, u.Store, b.Stream)
		for _, earlier := range u.batches {
			if earlier.Stream == b.Stream {
				version += store.Version(len(earlier.Events))
			}
		}
		if !b.Expected.Met(version) {
			return nil, &store.ConflictError{Stream: b.Stream, Expected: b.Expected, Actual: version}
		}
		u.batches = append(u.batches, b)
		appended = append(appended, store.Appended{Stream: b.Stream, Version: version + store.Version(len(b.Events))})
	}
	return appended, nil
}

func (u *unit) Read(ctx context.Context, q store.Query) iter.Seq2[store.Recorded, error] {
	return func(yield func(store.Recorded, error) bool) {
		if u.ended {
			yield(store.Recorded{}, errUnitEnded)
			return
		}
		version := store.Version(0)
		for r, err := range u.Store.Read(ctx, q) {
			version = r.Version
			if !yield(r, err) {
				return
			}
		}
		for _, b := range u.batches {
			if b.Stream == q.Stream {
				for _, r := range b.Record(version, 0) {
					if !yield(r, nil) {
						return
					}
				}
			}
		}
	}
}

func (b *broken) transacted(ctx context.Context, m store.Move, f func(context.Context, store.Streams) error) error {
	if err := store.CheckMoves([]store.Move{m}); err != nil {
		return err
	}
	if err := store.Ended(ctx, "transact"); err != nil {
		return err
	}
	oneTransaction.Lock()
	defer oneTransaction.Unlock()
	s, err := b.Find(ctx, m.Subscription)
	if err != nil || s.Lanes[m.Lane].Token != m.Token || s.Lanes[m.Lane].At != m.From {
		return &store.FencedError{Holds: []store.Hold{m.Hold}}
	}
	u := &unit{broken: b}
	defer func() { u.ended = !b.kept }()
	if err := f(store.WithStreams(ctx, u), u); err != nil {
		return err
	}
	if len(u.batches) > 0 {
		if _, err := b.Store.Append(ctx, u.batches...); err != nil {
			return err
		}
	}
	for _, unpark := range u.unparks {
		if err := unpark(ctx); err != nil {
			return err
		}
	}
	return b.Store.Subscriptions().Advance(ctx, m)
}

func (b *broken) Find(ctx context.Context, name string) (store.Subscription, error) {
	return b.Store.Subscriptions().Find(ctx, name)
}

type handlerFunc = func(context.Context, store.Streams) error

var transactorDefects = []defect{
	{"stores at once what is appended in a transaction", "a transaction moves the lane", func(b *broken) {
		b.transact = func(ctx context.Context, m store.Move, f handlerFunc) error {
			return b.transacted(ctx, m, func(ctx context.Context, _ store.Streams) error {
				return f(store.WithStreams(ctx, b), b)
			})
		}
	}},
	{"moves the lane although the function fails", "a transaction whose function fails", func(b *broken) {
		b.transact = func(ctx context.Context, m store.Move, f handlerFunc) error {
			var failed error
			if err := b.transacted(ctx, m, func(ctx context.Context, s store.Streams) error { failed = f(ctx, s); return nil }); err != nil {
				return err
			}
			return failed
		}
	}},
	{"words the function's error anew", "a transaction whose function fails", func(b *broken) {
		b.transact = func(ctx context.Context, m store.Move, f handlerFunc) error {
			if err := b.transacted(ctx, m, f); err != nil {
				return errors.Join(errors.New("transact"), err)
			}
			return nil
		}
	}},
	{"runs a move that was made again", "a transaction of a lane that is not", func(b *broken) {
		b.transact = func(ctx context.Context, m store.Move, f handlerFunc) error {
			if s, err := b.Find(ctx, m.Subscription); err == nil && m.To == s.Lanes[m.Lane].At && s.Lanes[m.Lane].Token == m.Token && m.To < 1<<63 && m.From <= m.To {
				return f(ctx, b)
			}
			return b.transacted(ctx, m, f)
		}
	}},
	{"runs every try of a move", "of concurrent transactions", func(b *broken) {
		b.transact = func(ctx context.Context, m store.Move, f handlerFunc) error {
			err := b.transacted(ctx, m, f)
			if errors.Is(err, store.ErrFenced) {
				return f(ctx, b)
			}
			return err
		}
	}},
	{"unparks at once what is unparked in a transaction", "unparking in a transaction", func(b *broken) {
		b.subscriptions = func(store.Subscriptions) store.Subscriptions { return b.Store.Subscriptions() }
	}},
	{"keeps what is unparked in a transaction", "unparking in a transaction", spoil(func(s *spoiled, k store.Subscriptions) {
		s.unpark = func(ctx context.Context, h store.Hold, key string, at uint64) error {
			if in, _ := store.StreamsFrom(ctx); in != nil {
				return nil
			}
			return k.Unpark(ctx, h, key, at)
		}
	})},
	{"leaves a transaction open to who panics", "streams of a transaction that has ended", func(b *broken) {
		b.transact = func(ctx context.Context, m store.Move, f handlerFunc) error {
			return b.transacted(ctx, m, func(ctx context.Context, s store.Streams) error {
				defer func() {
					if v := recover(); v != nil {
						s.(*unit).kept = true
						panic(v)
					}
				}()
				return f(ctx, s)
			})
		}
	}},
	{"leaves a transaction open", "streams of a transaction that has ended", func(b *broken) {
		b.transact = func(ctx context.Context, m store.Move, f handlerFunc) error {
			return b.transacted(ctx, m, func(ctx context.Context, _ store.Streams) error { return f(ctx, b) })
		}
	}},
}
