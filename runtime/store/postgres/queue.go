package postgres

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/esgen/esgen/runtime/store"
)

// Bounds of what is sent together, so that bulk loads do not own the latency of
// others. An append beyond them goes alone.
const (
	maxFlushEvents = 2000
	maxFlushBytes  = 1 << 20
	// maxFlushNames bounds streams that may be new: each takes an entry of the
	// server's shared lock table until commit.
	maxFlushNames = 500
	// maxQueueBytes bounds what waits; who comes then waits outside.
	maxQueueBytes = 64 << 20
	// stallAfter is how long a flush may take before another may overtake it: its
	// connection may be dead without anybody knowing.
	stallAfter = 500 * time.Millisecond
	// maxFlushers bounds the connections that flushes occupy then.
	maxFlushers = 3
)

// queue holds the appends of concurrent callers until they are sent together. A
// goroutine sends them and ends when there are none left: nothing waits for
// company, and nothing runs while nobody appends.
type queue struct {
	send func(context.Context, *flush)
	// acquire returns a connection on which a flush can be sent.
	acquire func(context.Context) (conn, error)
	// stall and full are told of trouble; the mutex is held.
	stall func(f *flush, flushers int)
	full  func(bytes, waiting int)

	mu      sync.Mutex
	waiting []*appending
	bytes   int
	// room is closed when there may be room again; nil if nobody waits for that.
	room chan struct{}
	// flushers counts goroutines, stalled those whose flush takes long.
	flushers, stalled int
	// abandon ends the search for a connection when nobody needs it any more.
	abandon map[*context.CancelFunc]struct{}
	// calls counts appends under way, in the queue or not.
	calls  int
	closed bool
	// ended is closed when nothing is under way any more; nil if nobody waits for that.
	ended chan struct{}
}

// grouped is an append's place in the queue, guarded by its mutex but for done.
type grouped struct {
	// flush is what it is sent with, nil while it waits.
	flush *flush
	// ctx and since, when it began to wait, are for the observer; unset without one.
	ctx   context.Context
	since time.Time
	// fates are the flush's notes, one per batch.
	fates []fate
	// done is closed when answer is there.
	done   chan struct{}
	answer verdict
}

// wait puts a into the queue and returns the answer, or an error if ctx ended
// before there was one.
func (q *queue) wait(ctx context.Context, a *appending) (verdict, error) {
	a.done = make(chan struct{})
	if err := q.put(ctx, a); err != nil {
		return verdict{}, err
	}
	select {
	case <-a.done:
		return a.answer, nil
	case <-ctx.Done():
	}
	select {
	case <-a.done:
		return a.answer, nil
	default:
	}
	if !q.leave(a) {
		a.lost = ctx.Err()
	}
	return verdict{}, a.giveUp(ctx)
}

func (q *queue) put(ctx context.Context, a *appending) error {
	q.mu.Lock()
	for q.bytes > 0 && q.bytes+a.bytes > maxQueueBytes {
		if q.room == nil {
			q.room = make(chan struct{})
			q.full(q.bytes, len(q.waiting))
		}
		room := q.room
		q.mu.Unlock()
		select {
		case <-room:
		case <-ctx.Done():
			return store.Ended(ctx, a.op)
		}
		q.mu.Lock()
	}
	defer q.mu.Unlock()
	if q.closed {
		return errClosed(a.op)
	}
	if a.s.observed != nil {
		a.ctx, a.since = ctx, time.Now()
	}
	q.waiting = append(q.waiting, a)
	q.bytes += a.bytes
	q.start() //nolint:contextcheck // a flush is no caller's to interrupt
	return nil
}

func errClosed(op string) error { return fmt.Errorf("%s: %w", op, store.ErrClosed) }

// enter counts a call in, which must leave it again, or refuses it after close.
func (q *queue) enter(op string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return errClosed(op)
	}
	q.calls++
	return nil
}

func (q *queue) exit() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.calls--
	q.tellEnded()
}

// tellEnded ends the wait of close. The mutex is held.
func (q *queue) tellEnded() {
	if q.flushers == 0 && q.calls == 0 && q.ended != nil {
		close(q.ended)
		q.ended = nil
	}
}

// start lets a flusher begin unless one is at work. The mutex is held.
func (q *queue) start() {
	if q.flushers > q.stalled || q.flushers >= maxFlushers {
		return
	}
	q.flushers++
	go q.run()
}

// leave takes a out and reports whether it had not been sent.
func (q *queue) leave(a *appending) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if f := a.flush; f != nil {
		if f.left++; f.left == len(f.appends) {
			f.cancel() // nobody waits for the answer
		}
		return false
	}
	if i := slices.Index(q.waiting, a); i >= 0 {
		q.waiting = slices.Delete(q.waiting, i, i+1)
		q.released(a.bytes)
	}
	if len(q.waiting) == 0 {
		for cancel := range q.abandon {
			(*cancel)()
		}
	}
	return true
}

// released notes that bytes wait no more. The mutex is held.
func (q *queue) released(bytes int) {
	if q.bytes -= bytes; q.room != nil {
		close(q.room)
		q.room = nil
	}
}

// run sends flushes until nothing waits.
func (q *queue) run() {
	for {
		q.yield()
		f := q.next()
		if f == nil {
			return
		}
		q.flush(f)
	}
}

// yield lets those speak who have just been answered: with many callers they would
// else split into two halves that alternate. It waits for nobody.
func (q *queue) yield() {
	for range 8 {
		n := q.length()
		runtime.Gosched()
		if q.length() == n {
			return
		}
	}
}

func (q *queue) length() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting)
}

// next returns what is to be sent, with a connection, or nil if nothing waits.
func (q *queue) next() *flush {
	ctx, cancel := context.WithCancel(context.Background())
	q.mu.Lock()
	if len(q.waiting) == 0 {
		q.end()
		q.mu.Unlock()
		cancel()
		return nil
	}
	q.abandon[&cancel] = struct{}{}
	q.mu.Unlock()

	// The connection comes first: what waits for one can still be taken back.
	c, err := q.acquire(ctx)

	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.abandon, &cancel)
	if err != nil {
		cancel()
		if ctx.Err() == nil || len(q.waiting) > 0 {
			q.disband()
		}
		q.end()
		return nil
	}
	f := q.take()
	if f == nil {
		c.Release()
		cancel()
		q.end()
		return nil
	}
	f.conn, f.ctx, f.cancel = c, ctx, cancel
	return f
}

// disband lets all who wait try alone: each learns by itself what is wrong. The
// mutex is held.
func (q *queue) disband() {
	for _, a := range q.waiting {
		q.released(a.bytes)
		a.answer = verdict{}
		close(a.done)
	}
	q.waiting = nil
}

// end counts this flusher out. The mutex is held.
func (q *queue) end() {
	q.flushers--
	q.tellEnded()
}

// take collects what can be sent together, oldest first. The mutex is held.
func (q *queue) take() *flush {
	f := &flush{places: make(map[string]int)}
	rest := q.waiting[:0]
	for i, a := range q.waiting {
		if f.full() {
			rest = append(rest, q.waiting[i:]...)
			break
		}
		if !f.add(a) {
			rest = append(rest, a)
			continue
		}
		a.flush = f
		q.released(a.bytes)
	}
	clear(q.waiting[len(rest):])
	q.waiting = rest
	if len(f.appends) == 0 {
		return nil
	}
	return f
}

// flush sends f and notes if that takes long.
func (q *queue) flush(f *flush) {
	var stalled bool
	watch := time.AfterFunc(stallAfter, func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		if f.over {
			return
		}
		stalled = true
		q.stalled++
		q.stall(f, q.flushers)
		if len(q.waiting) > 0 {
			q.start()
		}
	})
	q.send(f.ctx, f)
	f.conn.Release()
	f.cancel()
	q.mu.Lock()
	defer q.mu.Unlock()
	f.over = true
	if watch.Stop(); stalled {
		q.stalled--
	}
}

// close lets nobody in any more and waits until all are answered.
func (q *queue) close(ctx context.Context) error {
	q.mu.Lock()
	q.closed = true
	if q.flushers == 0 && q.calls == 0 {
		q.mu.Unlock()
		return nil
	}
	if q.ended == nil {
		q.ended = make(chan struct{})
	}
	ended := q.ended
	q.mu.Unlock()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return store.Ended(ctx, "close the store")
	}
}
