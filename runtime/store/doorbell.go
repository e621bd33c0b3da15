package store

import "sync"

// Doorbell wakes all who wait for new events in this process. The zero value is
// ready; methods are safe for concurrent use. A store rings it after commit.
type Doorbell struct {
	mu sync.Mutex
	ch chan struct{}
}

// Wait returns a channel that the next Ring closes.
func (d *Doorbell) Wait() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ch == nil {
		d.ch = make(chan struct{})
	}
	return d.ch
}

// Ring wakes everybody who waits now.
func (d *Doorbell) Ring() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ch != nil {
		close(d.ch)
		d.ch = nil
	}
}
