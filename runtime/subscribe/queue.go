package subscribe

import "github.com/esgen/esgen/runtime/store"

// queue is a first-in-first-out list that uses its memory again.
type queue struct {
	all  []store.Recorded
	head int
}

func (q *queue) len() int { return len(q.all) - q.head }

// first returns the oldest event; there must be one.
func (q *queue) first() store.Recorded { return q.all[q.head] }

// pop removes the oldest event and lets go of its bytes.
func (q *queue) pop() {
	q.all[q.head] = store.Recorded{}
	q.head++
}

// push adds copies of events.
func (q *queue) push(events []store.Recorded) {
	n := copy(q.all, q.all[q.head:])
	clear(q.all[n:])
	q.all = append(q.all[:n], events...)
	q.head = 0
}
