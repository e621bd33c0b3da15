package subscribe

import (
	"context"
	"iter"
	"math"
	"slices"
	"time"

	"github.com/esgen/esgen/runtime/store"
)

// Watch yields what [List] tells, at once and then at each interval, with the rate and
// the time left of those that catch up. With names, it tells of those alone, in that
// order, and one that is not there is an error. interval is more than 0.
//
// After an error for which [store.Retryable] holds, the loop may go on; any other is the
// last pair. So is that of ctx, when it ends.
func Watch(ctx context.Context, db store.Store, interval time.Duration, names ...string) iter.Seq2[[]Info, error] {
	return func(yield func([]Info, error) bool) {
		if interval <= 0 {
			yield(nil, invalid("watched every %s; more than 0", interval))
			return
		}
		tick := time.NewTicker(interval)
		defer tick.Stop()
		paces := make(map[string]*pace)
		for {
			all, err := listed(ctx, db, names)
			if ctx.Err() != nil {
				yield(nil, context.Cause(ctx))
				return
			}
			for i := range all {
				p := paces[all[i].Name]
				if p == nil {
					p = &pace{}
					paces[all[i].Name] = p
				}
				p.add(&all[i], time.Now())
			}
			if !yield(all, err) || err != nil && !store.Retryable(err) {
				return
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				yield(nil, context.Cause(ctx))
				return
			}
		}
	}
}

func listed(ctx context.Context, db store.Store, names []string) ([]Info, error) {
	if len(names) == 0 {
		return List(ctx, db)
	}
	all := make([]Info, len(names))
	for i, name := range names {
		var err error
		if all[i], err = Find(ctx, db, name); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// paceWindow is how far back a pace looks: long enough that checkpoints, which are stored
// once a second or less often, make no waves.
const paceWindow = 30 * time.Second

// pace knows where a subscription was in the last half minute, the oldest first.
type pace struct{ samples []paceSample }

type paceSample struct {
	time     time.Time
	at, head uint64
}

// add notes where it is now, and tells how fast it goes.
func (p *pace) add(i *Info, now time.Time) {
	if n := len(p.samples); n > 0 && p.samples[n-1].at > i.At {
		p.samples = nil // it was reset
	}
	p.samples = append(p.samples, paceSample{now, i.At, i.Head})
	p.samples = slices.DeleteFunc(p.samples, func(s paceSample) bool { return now.Sub(s.time) > paceWindow })
	first := p.samples[0]
	seconds := now.Sub(first.time).Seconds()
	if i.Left = -1; i.Behind == 0 {
		i.Left = 0
	}
	if seconds <= 0 {
		return
	}
	i.Rate = float64(i.At-first.at) / seconds
	// Those who append make the way longer meanwhile.
	nearer := i.Rate - (float64(i.Head)-float64(first.head))/seconds
	if i.Behind > 0 && nearer > 0 {
		left := float64(i.Head-min(i.Head, i.At)) / nearer
		i.Left = time.Duration(min(left*float64(time.Second), math.MaxInt64/2))
	}
}
