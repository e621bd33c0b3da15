package esotel

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/otel/metric"

	"github.com/esgen/esgen/runtime/subscribe"
)

// lag knows how far behind the lanes of this process are. It is asked for when metrics
// are collected: a lane that says nothing any more, since it stands, is behind by more
// and more time.
type lag struct {
	mu    sync.Mutex
	lanes map[laneKey]laneLag
}

type laneKey struct {
	subscription string
	lane         int
}

type laneLag struct {
	events uint64
	// oldest is when the first event that is not handled was appended; zero if there
	// is none.
	oldest time.Time
}

func newLag(m metric.Meter) *lag {
	l := &lag{lanes: make(map[laneKey]laneLag)}
	events, err := m.Int64ObservableGauge("esgen.lag.events", metric.WithUnit("{event}"),
		metric.WithDescription("Places behind the end, of the lane of this process that is farthest behind."))
	if refused(err) {
		return l
	}
	age, err := m.Float64ObservableGauge("esgen.lag.duration", metric.WithUnit("s"),
		metric.WithDescription("Age of the oldest event that the lanes of this process have not handled."))
	if refused(err) {
		return l
	}
	lanes, err := m.Int64ObservableGauge("esgen.lanes", metric.WithUnit("{lane}"),
		metric.WithDescription("Lanes that this process owns."))
	if refused(err) {
		return l
	}
	_, err = m.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		for name, s := range l.bySubscription(time.Now()) {
			name := metric.WithAttributes(subscriptionName.String(name))
			o.ObserveInt64(events, int64(min(s.events, 1<<62)), name) //nolint:gosec // it is bounded here
			o.ObserveFloat64(age, s.age.Seconds(), name)
			o.ObserveInt64(lanes, int64(s.lanes), name)
		}
		return nil
	}, events, age, lanes)
	refused(err)
	return l
}

// notice keeps what a lane says of itself. One that is not this process's any more is
// forgotten, so that two processes do not tell of it.
func (l *lag) notice(n subscribe.Notice) {
	key := laneKey{n.Subscription, n.Lane}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch n.Kind {
	case subscribe.NoticeGained:
		l.lanes[key] = laneLag{}
	case subscribe.NoticeReleased, subscribe.NoticeLost:
		delete(l.lanes, key)
	case subscribe.NoticeProgress:
		if _, owned := l.lanes[key]; !owned {
			return // it comes late
		}
		now := laneLag{events: n.Behind}
		if n.Behind > 0 {
			now.oldest = time.Now().Add(-n.BehindTime)
		}
		l.lanes[key] = now
	default: // says nothing of how far it is
	}
}

type subscriptionLag struct {
	lanes  int
	events uint64
	age    time.Duration
}

func (l *lag) bySubscription(now time.Time) map[string]subscriptionLag {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make(map[string]subscriptionLag)
	for key, lane := range l.lanes {
		s := all[key.subscription]
		s.lanes++
		s.events = max(s.events, lane.events)
		if !lane.oldest.IsZero() {
			s.age = max(s.age, now.Sub(lane.oldest))
		}
		all[key.subscription] = s
	}
	return all
}
