package subscribe

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/esgen/esgen/runtime/store"
)

// mode is how a lane gives its events to the program.
type mode interface {
	manner() manner
	// work gives events until the lane ends.
	work(l *lane)
}

var errGoexit = Stop(errors.New("the handler ended its goroutine with runtime.Goexit, as testing's FailNow does; return an error instead"))

// serve runs the program's side, in a goroutine that a handler may end.
func (l *lane) serve() {
	returned := false
	defer func() {
		if !returned {
			l.wg.Go(l.serve)
			l.change(func(m *machine, now time.Time) { m.abandoned(now, errGoexit) })
		}
	}()
	l.run.s.mode.work(l)
	returned = true
}

// abandoned: the goroutine that had the events is gone.
func (m *machine) abandoned(now time.Time, err error) {
	if m.replay != nil && m.replay.given {
		m.replayEnded(now, m.replay.giving, err)
		return
	}
	for n := m.queue.begin(); n < m.queue.end(); n++ {
		if it := m.queue.at(n); it.state == given {
			m.nacked(now, n, it.giving, err)
			return
		}
	}
}

// pull waits for up to most events and returns them with the context in which to
// handle them. It returns none when the lane has ended.
func (l *lane) pull(most int, into []delivery) (context.Context, []delivery) {
	var timer *time.Timer
	for {
		l.mu.Lock()
		ds, next := l.m.pull(time.Now(), most, into[:0])
		if len(ds) > 0 && l.work.Err() != nil && l.run.work.Err() == nil {
			l.work, l.halt = context.WithCancelCause(l.run.work) //nolint:fatcontext // beside the one that has ended
		}
		ctx, act := l.work, l.m.pressing()
		notices := l.m.notices
		l.m.notices = nil
		l.mu.Unlock()
		l.run.tell(notices)
		if act {
			wake(l.kick)
		}
		if len(ds) > 0 {
			return ctx, ds
		}
		var alarm <-chan time.Time
		if !next.IsZero() {
			if timer == nil {
				timer = time.NewTimer(time.Until(next))
				defer timer.Stop()
			} else {
				timer.Reset(time.Until(next))
			}
			alarm = timer.C
		}
		select {
		case <-l.ready:
		case <-alarm:
		case <-l.done:
			return nil, nil
		}
	}
}

// answered tells the machine an answer by f, which reports whether it counted,
// and reports whether handling may go on.
func (l *lane) answered(f func(m *machine, now time.Time) bool) (counted, goOn bool) {
	l.mu.Lock()
	now := time.Now()
	if err := l.run.parent.Err(); err != nil {
		l.m.stop(now, err, false) // what failed because of that is no failure
	}
	before, was := l.m.handlings, l.m.inFlight
	counted = !l.over && f(l.m, now)
	after, at, stopping := l.m.handlings, l.m.handled, l.m.stopping
	goOn = counted && l.m.mayHandle(now)
	act := l.m.pressing()
	again := l.m.how.loose && l.m.inFlight < was
	notices := l.m.notices
	l.m.notices = nil
	live := l.m.live && !l.over
	l.tellStanding()
	if after.failures > before.failures {
		l.lastErr, l.lastAt = after.err, now
	}
	l.mu.Unlock()
	if before.failures != after.failures {
		l.logChange("handle an event", at, before, after, stopping)
	}
	if notices != nil {
		l.run.tell(notices)
	}
	if live {
		l.run.isLive()
	}
	if act {
		wake(l.kick)
	}
	if again {
		wake(l.ready)
	}
	return counted, goOn
}

// pressing reports whether the driver may have something to do now, or earlier
// than it knows.
func (m *machine) pressing() bool {
	return m.stopping || m.lost || len(m.rows) > 0 || m.replay != nil && m.replay.done ||
		!m.busy[reads] && (!m.ended || m.crowded) && m.queue.len() <= m.c.PageSize/2 ||
		!m.busy[saves] && (m.unsaved >= (m.c.CheckpointEvery+1)/2 || m.idle() || !m.dirty.IsZero() && m.dirty.Equal(m.recent)) ||
		m.handlings.failures > 0 || m.trouble != ""
}

// ack, ackUpTo and nack answer deliveries of a [Pull].
func (l *lane) ack(number uint64, giving uint32) error {
	return l.counted(func(m *machine, now time.Time) bool { return m.acked(now, number, giving) })
}

func (l *lane) nack(number uint64, giving uint32, err error) error {
	return l.counted(func(m *machine, now time.Time) bool { return m.nacked(now, number, giving, err) })
}

func (l *lane) ackUpTo(number uint64, giving uint32) error {
	return l.counted(func(m *machine, now time.Time) bool {
		if number != replayed && m.find(number, giving) != nil {
			for n := m.queue.begin(); n < number; n++ {
				if it := m.queue.at(n); it != nil && it.state == given {
					m.finish(now, it)
				}
			}
		}
		counted := m.acked(now, number, giving)
		m.advance(now, 0)
		return counted
	})
}

func (l *lane) counted(f func(m *machine, now time.Time) bool) error {
	if counted, _ := l.answered(f); counted {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over || l.m.lost {
		return ErrLeaseLost
	}
	return ErrStale
}

// guarded calls f, and turns a panic into an error.
func guarded(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = sound(&PanicError{Value: v, Stack: debug.Stack()})
		}
	}()
	return sound(f())
}

// sound returns err, or if its methods panic an error that says so. A nil pointer
// that was returned as an error often does, and would do so wherever it is looked at.
func sound(err error) (sane error) {
	defer func() {
		if v := recover(); v != nil {
			sane = &PanicError{Value: fmt.Sprintf("look at the error, a %T: %v", err, v), Stack: debug.Stack()}
		}
	}()
	if err != nil {
		_ = err.Error()
		_ = errors.Is(err, ErrLeaseLost)
		verdictOf(err)
	}
	return err
}

// mapped returns the event as the program wants it.
func (c *Config) mapped(r store.Recorded) store.Recorded {
	if c.Map != nil {
		return c.Map(r)
	}
	return r
}
