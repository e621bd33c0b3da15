package subscribe

import (
	"slices"
	"sync"
)

// outs are the deliveries of a lane whose end the observer waits for. Without an
// observer there are none.
type outs struct {
	mu  sync.Mutex
	all []*Delivery
}

func (o *outs) add(d *Delivery) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all = append(o.all, d)
}

// take takes out those that f selects.
func (o *outs) take(f func(d *Delivery) bool) (taken []*Delivery) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all = slices.DeleteFunc(o.all, func(d *Delivery) bool {
		if f(d) {
			taken = append(taken, d)
			return true
		}
		return false
	})
	return taken
}

// takenBack ends those that were: nobody's answer to them counts any more.
func (l *lane) takenBack() {
	for _, d := range l.outs.take(func(d *Delivery) bool { return !l.isOut(d) }) {
		d.end(ErrStale)
	}
}

// isOut reports whether an answer would count.
func (l *lane) isOut(d *Delivery) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if d.number == replayed {
		return l.m.replay != nil && l.m.replay.given && l.m.replay.giving == d.giving
	}
	return l.m.find(d.number, d.giving) != nil
}

// answer ends d as the answer f says, and those that it has taken back.
func (d *Delivery) answer(reason error, f func() error) error {
	if d.end == nil {
		return f()
	}
	d.of.outs.take(func(o *Delivery) bool { return o == d })
	err := f()
	if err != nil {
		reason = err
	}
	d.end(reason)
	d.of.takenBack()
	return err
}
