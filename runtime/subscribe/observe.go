package subscribe

import (
	"context"
	"time"

	"github.com/esgen/esgen/runtime/store"
)

// begin tells the observer that a handler is about to be called. Without one, end
// is nil.
func (l *lane) begin(ctx context.Context, kind HandlingKind, ds []delivery) (_ context.Context, end func(error)) {
	o := l.run.observed
	if o == nil {
		return ctx, nil
	}
	events := make([]store.Recorded, 0, len(ds))
	for _, d := range ds {
		events = append(events, *d.r)
	}
	ctx, h := o.begin(ctx, kind, l.name, l.hold.Lane, ds[0].attempt, events)
	return ctx, h.end
}

// tell tells the observer what has happened.
func (r *run) tell(notices []Notice) {
	for _, n := range notices {
		n.Subscription = r.s.name
		r.observed.notice(n)
	}
}

// progress is due at most once a second, and when the lane has caught up.
func (l *lane) progress(now time.Time) []Notice {
	m := l.m
	switch {
	case l.run.observed == nil,
		now.Sub(l.told) < time.Second && (!m.live || l.toldLive),
		m.live && l.toldLive && l.toldAt == m.handled:
		return nil
	}
	l.told, l.toldLive, l.toldAt = now, m.live, m.handled
	n := Notice{Kind: NoticeProgress, Lane: l.hold.Lane, At: m.handled}
	if m.last > m.handled && !m.live {
		n.Behind = m.last - m.handled
		if m.queue.len() > 0 {
			n.BehindTime = max(now.Sub(m.queue.first().r.Time), 0)
		}
	}
	return []Notice{n}
}
