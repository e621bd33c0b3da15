package storetest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
)

func cancelCases() []contractCase {
	return []contractCase{
		{name: "an append in a cancelled context stores nothing and says so", run: func(f *fixture) {
			f.append("bank-1", 0, event(1))
			for _, c := range ended(f) {
				for _, expected := range []store.Version{1, store.Any} {
					err := f.refuseIn(c.ctx, batch("bank-1", expected, event(2)))
					c.saidBy(f, "Append", err)
					if errors.Is(err, store.ErrUnknownOutcome) {
						f.Errorf("append in a context that ended: %v, want no doubt", err)
					}
				}
			}
			f.append("bank-1", 1, event(2))
		}},
		{name: "a read in a cancelled context ends with its error", run: func(f *fixture) {
			f.append("bank-1", 0, events(3)...)
			for _, c := range ended(f) {
				for _, q := range []store.Query{{}, {Stream: "bank-1"}, {Categories: []string{"bank"}}, {Stream: "unknown"}} {
					read, err := collect(c.ctx, f.store, q)
					c.saidBy(f, fmt.Sprintf("Read(%s)", q), err)
					if len(read) > 0 {
						f.Errorf("Read(%s) gave %d events", q, len(read))
					}
				}
			}
		}},
		{name: "a read that is cancelled under way never ends early without an error", run: func(f *fixture) {
			const n = 3000
			f.append("bank-1", 0, events(n)...)
			for _, q := range []store.Query{{}, {Stream: "bank-1"}, {Categories: []string{"bank"}, Backward: true}} {
				ctx, cancel := context.WithCancel(f.ctx)
				read := 0
				var failed error
				for _, err := range f.store.Read(ctx, q) {
					if failed = err; err != nil {
						break
					}
					if read++; read == 10 {
						cancel()
					}
				}
				cancel()
				// What was fetched before may still come.
				if !errors.Is(failed, context.Canceled) && (failed != nil || read < n) {
					f.Errorf("Read(%s) ended after %d of %d events with error %v", q, read, n, failed)
				}
			}
		}},
		{name: "snapshots say that a context has ended", needs: store.KeepsSnapshots, run: func(f *fixture) {
			s := f.store.(store.Snapshots)
			f.save(s, snapshot("bank-1", 1))
			for _, c := range ended(f) {
				c.saidBy(f, "SaveSnapshot", s.SaveSnapshot(c.ctx, snapshot("bank-1", 2)))
				_, err := s.LoadSnapshot(c.ctx, "bank-1")
				c.saidBy(f, "LoadSnapshot", err)
				c.saidBy(f, "DeleteSnapshot", s.DeleteSnapshot(c.ctx, "bank-1"))
			}
			f.equal("version", store.Version(1), f.load(s, "bank-1").Version)
		}},
		{name: "the catalog says that a context has ended", needs: store.KeepsCatalog, run: func(f *fixture) {
			f.append("bank-1", 0, event(1))
			for _, c := range ended(f) {
				_, err := f.catalog().StreamInfo(c.ctx, "bank-1")
				c.saidBy(f, "StreamInfo", err)
			}
		}},
		{name: "a cause of a context that ends under way is told", run: func(f *fixture) {
			f.append("bank-1", 0, events(3000)...)
			ctx, cancel := context.WithCancelCause(f.ctx)
			defer cancel(nil)
			read := 0
			for _, err := range f.store.Read(ctx, store.Query{}) {
				if err != nil {
					endedContext{ctx, []error{context.Canceled, errShutdown}}.saidBy(f, "Read", err)
					return
				}
				if read++; read == 10 {
					cancel(errShutdown)
				}
			}
		}},
		{name: "an append whose context ends at any moment tells the truth", run: tellsTheTruth},
	}
}

type endedContext struct {
	ctx context.Context
	// want is what errors.Is must find: the context's error, and its cause.
	want []error
}

var errShutdown = errors.New("the process shuts down")

// saidBy fails unless err, of op, is all that the context's end is.
func (c endedContext) saidBy(f *fixture, op string, err error) {
	f.Helper()
	for _, want := range c.want {
		if !errors.Is(err, want) {
			f.Errorf("%s in a context that ended: %v, want an error that is %q too", op, err, want)
		}
	}
}

func ended(f *fixture) []endedContext {
	cancelled, cancel := context.WithCancel(f.ctx)
	cancel()
	expired, cancel := context.WithDeadline(f.ctx, time.Now().Add(-time.Second))
	f.Cleanup(cancel)
	caused, cancelCause := context.WithCancelCause(f.ctx)
	cancelCause(errShutdown)
	late, cancel := context.WithDeadlineCause(f.ctx, time.Now().Add(-time.Second), errShutdown)
	f.Cleanup(cancel)
	return []endedContext{
		{cancelled, []error{context.Canceled}},
		{expired, []error{context.DeadlineExceeded}},
		{caused, []error{context.Canceled, errShutdown}},
		{late, []error{context.DeadlineExceeded, errShutdown}},
	}
}

// tellsTheTruth cuts appends off at random moments: nil means stored, an unknown
// outcome is resolved by appending again, everything else means not stored.
func tellsTheTruth(f *fixture) {
	random := seeded(f)
	want := map[uuid.UUID]int{}
	for i := range 100 {
		given := identified(1 + random.IntN(20))
		// From far too short to more than enough.
		ctx, cancel := context.WithTimeout(f.ctx, time.Duration(random.IntN(4_000))*time.Microsecond)
		stream := fmt.Sprintf("bank-%d", i%7)
		_, err := f.store.Append(ctx, batch(stream, store.Any, given...))
		cancel()
		if unknown, ok := as[*store.UnknownOutcomeError](err); ok {
			f.appendAll(unknown.Batches...)
			err = nil
		}
		times := 1
		if err != nil {
			if !errors.Is(err, context.DeadlineExceeded) {
				f.Errorf("append %d: %v, want a deadline exceeded", i, err)
			}
			times = 0
		}
		for _, e := range given {
			want[e.ID] = times
		}
	}
	got := map[uuid.UUID]int{}
	for id := range want {
		got[id] = 0
	}
	for _, r := range f.all() {
		got[r.ID]++
	}
	f.equal("how often each event is stored", want, got)
}

// bellCases: the doorbell.
func bellCases() []contractCase {
	return []contractCase{
		{name: "the doorbell rings after an append", run: func(f *fixture) {
			for i := range 5 {
				bell := f.store.Local().Wait()
				if bell == nil {
					return // it never rings; readers poll
				}
				f.append("bank-1", store.Version(i), event(i))
				select {
				case <-bell:
				case <-time.After(5 * time.Second):
					f.Fatalf("the doorbell did not ring within 5 s of append %d", i+1)
				}
			}
		}},
	}
}
