package store

import "sync"

// Local is what the parts of one process share who use the same store: its
// doorbell, and whatever a package keeps for all of them, such as the one reader
// that feeds all subscriptions. The zero value is ready; methods are safe for
// concurrent use.
type Local struct {
	bell   Doorbell
	mu     sync.Mutex
	values map[any]any
}

// Ring wakes all who wait. A store rings after commit.
func (l *Local) Ring() { l.bell.Ring() }

// Wait returns a channel that the next Ring closes. It carries no event and no
// promise: it may ring for nothing, and it need not ring for another process's
// appends, so a reader also polls. Take the channel before reading, and no ring
// between the read and the wait is lost.
func (l *Local) Wait() <-chan struct{} { return l.bell.Wait() }

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
