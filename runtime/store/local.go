package store

import "sync"

// Local is what the parts of one process share who use the same store: its
// doorbell, and whatever a package keeps for all of them, such as the one reader
// that feeds all subscriptions. The zero value is ready; methods are safe for
// concurrent use.
type Local struct {
	beside *Local // whose bell it shares
	bell   Doorbell
	mu     sync.Mutex
	values map[any]any

	attending int
	hear      func() (deaf func())
	deaf      func()
}

// Ring wakes all who wait. A store rings after commit.
func (l *Local) Ring() { l.doorbell().Ring() }

// Wait returns a channel that the next Ring closes. It carries no event and no
// promise: it may ring for nothing, and it need not ring for another process's
// appends, so a reader also polls. Take the channel before reading, and no ring
// between the read and the wait is lost.
func (l *Local) Wait() <-chan struct{} { return l.doorbell().Wait() }

// Attend tells that somebody is going to wait, until leave is called: meanwhile a
// store that can hear of the appends of other processes listens to them. leave may
// be called once; it does not wait for what that takes.
func (l *Local) Attend() (leave func()) {
	l = l.root()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.attending++; l.attending == 1 && l.hear != nil {
		l.deaf = l.hear()
	}
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.attending--; l.attending == 0 && l.deaf != nil {
			l.deaf()
			l.deaf = nil
		}
	}
}

// Hear sets how the store listens to other processes: hear is called when the first
// attends, and what it returns when the last has left. Neither may block or call
// methods of l, but for Ring from goroutines of their own. A store calls it once, or
// again with nil when it is closed.
func (l *Local) Hear(hear func() (deaf func())) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.deaf != nil {
		l.deaf()
		l.deaf = nil
	}
	l.hear = hear
	if l.attending > 0 && hear != nil {
		l.deaf = hear()
	}
}

// Beside returns another one with the same doorbell. A store that wraps another
// and keeps its subscriptions elsewhere has it, so that what belongs to those is
// not shared with the store beneath.
func (l *Local) Beside() *Local { return &Local{beside: l} }

func (l *Local) doorbell() *Doorbell { return &l.root().bell }

// root is the one whose bell all beside it share.
func (l *Local) root() *Local {
	for l.beside != nil {
		l = l.beside
	}
	return l
}

// Value returns what is kept under key, made by the first call. The key is of a
// type of the caller's package, so that packages do not meet.
func (l *Local) Value(key any, make func() any) any {
	l.mu.Lock()
	defer l.mu.Unlock()
	if v, ok := l.values[key]; ok {
		return v
	}
	if l.values == nil {
		l.values = map[any]any{}
	}
	v := make()
	l.values[key] = v
	return v
}
