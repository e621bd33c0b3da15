package subscribe

import (
	"context"
	"fmt"
	"time"

	"github.com/esgen/esgen/runtime/store"
)

// begin tells the observer that a handler is about to be called. Without one, end
// is nil.
func (l *lane) begin(ctx context.Context, kind HandlingKind, ds []delivery) (_ context.Context, end func(error)) {
	o := l.c.Observer
	if o == nil {
		return ctx, nil
	}
	h := Handling{Kind: kind, Subscription: l.name, Lane: l.hold.Lane, Count: len(ds), Attempt: ds[0].attempt}
	h.Events = make([]store.Recorded, 0, len(ds))
	for _, d := range ds {
		h.Events = append(h.Events, *d.r)
	}
	l.run.watched(func() {
		if of := o.Begin(ctx, h); of != nil {
			ctx = of
		}
	})
	h.Events = nil
	began := time.Now()
	return ctx, func(err error) {
		l.run.watched(func() { o.End(ctx, h, Handled{Err: err, Duration: time.Since(began)}) })
	}
}

// tell tells the observer what has happened.
func (r *run) tell(notices []Notice) {
	for _, n := range notices {
		r.watched(func() { r.s.c.Observer.Notice(n) })
	}
}

// notice is tell for what concerns the run.
func (r *run) notice(n Notice) {
	if r.s.c.Observer != nil {
		n.Subscription = r.s.name
		r.tell([]Notice{n})
	}
}

// watched calls the observer, whose panics break nothing.
func (r *run) watched(f func()) {
	defer func() {
		if v := recover(); v != nil {
			r.complain.Do(func() { r.log.Error("the observer of the subscription panicked", "panic", fmt.Sprint(v)) })
		}
	}()
	f()
}

// progress is due at most once a second, and when the lane has caught up.
func (l *lane) progress(now time.Time) []Notice {
	m := l.m
	if l.c.Observer == nil || now.Sub(l.told) < time.Second && (!m.live || l.toldLive) {
		return nil
	}
	if m.live && l.toldLive && l.toldAt == m.handled {
		return nil
	}
	l.told, l.toldLive, l.toldAt = now, m.live, m.handled
	n := Notice{Kind: NoticeProgress, Subscription: l.name, Lane: l.hold.Lane, At: m.handled}
	if m.last > m.handled && !m.live {
		n.Behind = m.last - m.handled
		if m.queue.len() > 0 {
			n.BehindTime = max(now.Sub(m.queue.first().r.Time), 0)
		}
	}
	return []Notice{n}
}
