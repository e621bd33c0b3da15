package subscribe

import "github.com/esgen/esgen/runtime/store"

type itemState uint8

const (
	queued itemState = iota
	// given: it is in the program's hands.
	given
	// parking: it waits to be stored as parked or skipped.
	parking
	// settled: it was handled, parked or skipped.
	settled
)

// item is an event of a lane.
type item struct {
	// r belongs to a page that others read too.
	r     *store.Recorded
	key   string
	place uint64
	// before is the place of the event before it, of this lane or not.
	before   uint64
	giving   uint32 // how often it was given
	failures int32
	state    itemState
	// mine tells that it is of this lane and selected; others are not queued.
	mine bool
	// cut tells that the lease passed while it was given: its context had ended.
	cut bool
}

// queue holds the items of a lane from the first that is not settled on. They are
// numbered: an item keeps its number.
type queue struct {
	all  []item
	head int
	// popped is the number of the first item.
	popped uint64
}

func (q *queue) len() int      { return len(q.all) - q.head }
func (q *queue) first() *item  { return &q.all[q.head] }
func (q *queue) end() uint64   { return q.popped + uint64(q.len()) }
func (q *queue) begin() uint64 { return q.popped }

// at returns the item of this number, or nil if there is none.
func (q *queue) at(number uint64) *item {
	if number < q.popped || number >= q.end() {
		return nil
	}
	return &q.all[q.head+int(number-q.popped)]
}

// pop removes the first item and lets go of its page.
func (q *queue) pop() {
	q.all[q.head] = item{}
	q.head++
	q.popped++
	if q.head == len(q.all) {
		q.all, q.head = q.all[:0], 0
	}
}

func (q *queue) push(it item) {
	if q.head > 0 && len(q.all) == cap(q.all) {
		n := copy(q.all, q.all[q.head:])
		clear(q.all[n:])
		q.all, q.head = q.all[:n], 0
	}
	q.all = append(q.all, it)
}
