package sqlite

import (
	"errors"
	"runtime"
	"time"
)

// run flushes until nothing waits.
func (w *writer) run() {
	for w.waiting() {
		w.flushAll()
	}
}

// flushAll flushes what waits, once no handler's transaction is under way.
func (w *writer) flushAll() {
	<-w.turn
	defer func() { w.turn <- struct{}{} }()
	asked := time.Now()
	if err := w.lock(); err != nil {
		if !errors.Is(err, errNobody) {
			w.finish(w.take(), err)
		}
		return
	}
	waited := time.Since(asked)
	// Callers that were woken by the last flush come back now.
	runtime.Gosched()
	w.flush(w.take(), waited)
}

var errNobody = errors.New("nobody waits for the write lock any more")

// lock begins a transaction that holds the write lock, as soon as other processes
// let it. Changes are taken after that, so that callers can leave until then.
func (w *writer) lock() error {
	var wait backoff
	for {
		err := w.begin()
		if !busy(err) {
			return err
		}
		w.mu.Lock()
		w.blocked = err
		anybody := false
		for _, c := range w.queue {
			anybody = anybody || !c.left
		}
		w.mu.Unlock()
		if !anybody {
			return errNobody
		}
		wait.sleep(steady)
	}
}

func (w *writer) begin() (err error) {
	if w.session == nil {
		if w.session, err = w.base.session(); err != nil {
			w.session = nil
			return err
		}
	}
	if _, err = w.session.exec("BEGIN IMMEDIATE"); err != nil && !busy(err) {
		w.discard()
	}
	return err
}

// discard closes a connection that may be in any state.
func (w *writer) discard() {
	_ = w.session.close() // it is of no use any more, whatever it says
	w.session = nil
}

// flush carries changes out in the transaction that has begun, after waiting for
// the lock.
func (w *writer) flush(changes []*change, waited time.Duration) {
	end := w.tell(changes, waited)
	t := &tx{s: w.session}
	for _, c := range changes {
		t.resolving = c.doubt != nil
		c.err = c.apply(t)
		if t.failed != nil {
			break
		}
	}
	switch {
	case t.failed != nil:
		end(t.failed)
		w.discard()
		w.lost(changes, t.failed, nil)
	case !t.wrote:
		end(nil)
		if _, err := w.session.exec("ROLLBACK"); err != nil {
			w.discard()
		}
		w.done(t, changes)
	default:
		_, err := w.session.exec("COMMIT")
		end(err)
		if err != nil {
			w.discard()
			doubt := err
			if !inDoubt(err) {
				doubt = nil
			}
			w.lost(changes, err, doubt)
			return
		}
		w.done(t, changes)
	}
}

func (w *writer) done(t *tx, changes []*change) {
	if t.appended {
		w.local.Ring()
	}
	w.release(changes)
}

// lost deals with changes of a transaction that was not, or perhaps not,
// committed. Who shared it is tried again alone, so that only the culprit fails;
// who is in doubt is tried again once, which finds out.
func (w *writer) lost(changes []*change, err, doubt error) {
	if len(changes) > 1 || doubt != nil && changes[0].doubt == nil {
		w.again(changes, doubt)
		return
	}
	w.finish(changes, err)
}

// finish gives changes whose transaction was lost for good their outcome.
func (w *writer) finish(changes []*change, err error) {
	for _, c := range changes {
		c.err = err
		if c.doubt != nil {
			c.err = &doubtError{cause: c.doubt}
		}
	}
	w.release(changes)
}

func (w *writer) release(changes []*change) {
	for _, c := range changes {
		close(c.done)
	}
}
