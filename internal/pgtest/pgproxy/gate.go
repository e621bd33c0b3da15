package pgproxy

import "sync"

// gate stops one way of a connection. The zero value is open.
type gate struct {
	mu     sync.Mutex
	opened chan struct{} // nil while it is open
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.opened == nil {
		g.opened = make(chan struct{})
	}
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.opened != nil {
		close(g.opened)
		g.opened = nil
	}
}

// wait returns true when the gate is open, and false if the connection is over.
func (g *gate) wait(over <-chan struct{}) bool {
	for {
		g.mu.Lock()
		opened := g.opened
		g.mu.Unlock()
		if opened == nil {
			select {
			case <-over:
				return false
			default:
				return true
			}
		}
		select {
		case <-opened:
		case <-over:
			return false
		}
	}
}
