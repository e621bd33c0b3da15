package sqlite

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/esgen/esgen/runtime/store"
)

// A flush takes as many changes as these allow, or one that is larger: so that
// the first of them does not wait long for the last, and other processes get
// their turn.
const (
	flushEvents = 2000
	flushBytes  = 4 << 20
)

// grace is how long a caller whose context has ended waits for a transaction
// that is under way. It takes a few milliseconds unless the disk hangs, and to
// know the outcome is worth more than to return at once.
const grace = time.Second

// writer carries out changes one after the other. Changes of callers that come
// at the same time share a transaction; each keeps its own outcome. The goroutine
// that does it starts with the first waiting change and ends with the last, so a
// writer that nobody uses has none.
type writer struct {
	base  *base
	local *store.Local

	observed *store.Observed

	mu      sync.Mutex
	queue   []*change
	idle    chan struct{} // closed when the goroutine ends; nil without one
	blocked error         // why the lock was last refused, while it is waited for

	// turn holds a token; who has it may use the session: the goroutine for each
	// flush, a handler's transaction from beginning to end.
	turn    chan struct{}
	session *session
}

// change is something to write. apply decides under the write lock and writes,
// or refuses with an error; who refuses must not have written. It may be called
// again when a transaction was lost.
type change struct {
	op            string
	apply         func(*tx) error
	events, bytes int

	// Of an append that an observer is told of: its context, how many streams it
	// goes to, and when it began to wait.
	ctx     context.Context
	streams int
	since   time.Time

	done chan struct{} // closed when err holds the outcome
	err  error

	// Guarded by writer.mu.
	taken bool  // by a transaction: the caller cannot withdraw it
	left  bool  // by its caller: nobody waits for the outcome
	alone bool  // must not share a transaction, for it was in one that was lost
	doubt error // that transaction's COMMIT may have succeeded
}

// do carries c out and returns its outcome. If ctx ends while c still waits for
// its turn, nothing is written. Later than that the outcome is waited for a
// little; if it stays unknown, the error is a [*doubtError].
func (w *writer) do(ctx context.Context, c *change) error {
	if err := w.within(ctx, c.op); err != nil {
		return err
	}
	c.done = make(chan struct{})
	w.mu.Lock()
	w.queue = append(w.queue, c)
	if w.idle == nil {
		w.idle = make(chan struct{})
		go w.run() //nolint:contextcheck // a flush is no caller's to interrupt
	}
	w.mu.Unlock()
	select {
	case <-c.done:
		return c.err
	case <-ctx.Done():
	}
	if w.leave(c, false) {
		return w.withdrawn(ctx, c)
	}
	t := time.NewTimer(grace)
	defer t.Stop()
	select {
	case <-c.done:
		return c.err
	case <-t.C:
	}
	if w.leave(c, true) {
		return w.withdrawn(ctx, c)
	}
	return &doubtError{cause: store.Ended(ctx, "")}
}

// within refuses what a handler's own transaction would keep waiting for ever.
func (w *writer) within(ctx context.Context, op string) error {
	if in, ok := ctx.Value(txKey{}).(*Tx); ok && in.s.base == w.base {
		return &store.InvalidError{What: op, Reason: "the handler's own transaction holds the write lock; write through store.StreamsFrom(ctx) or sqlite.TxFrom(ctx)"}
	}
	return nil
}

// doubtError tells that a change may or may not have been committed.
type doubtError struct{ cause error }

func (e *doubtError) Error() string { return "unknown outcome: " + e.cause.Error() }
func (e *doubtError) Unwrap() error { return e.cause }

// leave takes c's caller away and reports true, if that leaves no doubt that
// nothing was written. Otherwise the caller stays, unless it must leave.
func (w *writer) leave(c *change, must bool) (withdrawn bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	withdrawn = !c.taken && c.doubt == nil
	c.left = withdrawn || must
	return withdrawn
}

func (w *writer) withdrawn(ctx context.Context, c *change) error {
	w.mu.Lock()
	blocked := w.blocked
	w.mu.Unlock()
	if blocked == nil || errors.Is(ctx.Err(), context.Canceled) {
		return store.Ended(ctx, c.op)
	}
	return &store.UnavailableError{Op: c.op, Err: fmt.Errorf(
		"sqlite file %s: another process holds the write lock: %w: %w", w.base.file, store.Ended(ctx, ""), blocked)}
}

// close waits for the goroutine to end, and closes the connection.
func (w *writer) close(ctx context.Context) error {
	for {
		w.mu.Lock()
		idle := w.idle
		w.mu.Unlock()
		if idle == nil {
			select {
			case <-w.turn:
				defer func() { w.turn <- struct{}{} }()
			case <-ctx.Done():
				return store.Ended(ctx, "")
			}
			if w.session == nil {
				return nil
			}
			err := w.session.close()
			w.session = nil
			return err
		}
		select {
		case <-idle:
		case <-ctx.Done():
			return store.Ended(ctx, "")
		}
	}
}

// waiting drops changes that were withdrawn and reports whether any is left. If
// not, the goroutine is over.
func (w *writer) waiting() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	kept := w.queue[:0]
	for _, c := range w.queue {
		if !c.left {
			kept = append(kept, c)
		}
	}
	clear(w.queue[len(kept):])
	w.queue = kept
	if len(kept) == 0 {
		close(w.idle)
		w.idle = nil
	}
	return len(kept) > 0
}

// take takes changes for one transaction.
func (w *writer) take() []*change {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.blocked = nil
	taken := make([]*change, 0, len(w.queue))
	events, bytes := 0, 0
	rest := w.queue[:0]
	full := false
	for _, c := range w.queue {
		switch {
		case c.left:
			continue
		case full || len(taken) > 0 && (c.alone || events+c.events > flushEvents || bytes+c.bytes > flushBytes):
			full = true // changes keep their order
			rest = append(rest, c)
			continue
		}
		c.taken = true
		taken = append(taken, c)
		events += c.events
		bytes += c.bytes
		full = c.alone
	}
	clear(w.queue[len(rest):])
	w.queue = rest
	return taken
}

// again puts changes of a lost transaction back, each to be tried alone.
func (w *writer) again(changes []*change, doubt error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range changes {
		c.taken, c.alone = false, true
		if c.doubt == nil {
			c.doubt = doubt
		}
	}
	w.queue = append(append([]*change(nil), changes...), w.queue...)
}
