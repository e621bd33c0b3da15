package history

import (
	"fmt"
	"strconv"

	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
)

// Streams of three temperatures, and two kinds of new ones.
const (
	hot      = 3
	middling = 60
	// raceTime is how long all writers of all processes meet on the same name
	// that was never used before.
	raceTime = 30_000_000 // ns
)

func (w *writer) newIntent() intent {
	w.ops++
	return intent{op: w.ops}
}

// intent is an append to one stream, now and then to several.
func (w *writer) intent() intent {
	in := w.newIntent()
	n := 1
	if w.Store.Capabilities().Has(store.SeveralStreams) && w.random.IntN(6) == 0 {
		n = 2 + w.random.IntN(3)
	}
	taken := make(map[string]bool)
	in.alone, in.again = true, true
	for range n {
		stream, alone := w.stream()
		if taken[stream] {
			continue
		}
		taken[stream] = true
		in.alone = in.alone && alone
		in.batches = append(in.batches, batch{Stream: stream, Expected: w.expected(stream, alone), IDs: w.ids()})
	}
	return in
}

// stream chooses one; alone tells that nobody else will.
func (w *writer) stream() (name string, alone bool) {
	switch chance := w.random.IntN(10); {
	case chance < 3:
		return "hot-" + strconv.Itoa(w.random.IntN(hot)), false
	case chance < 6:
		return "mid-" + strconv.Itoa(w.random.IntN(middling)), false
	case chance < 8:
		return "race-" + strconv.FormatInt(clock()/raceTime, 10), false
	default:
		return w.fresh("new"), true
	}
}

func (w *writer) fresh(category string) string {
	w.made++
	return fmt.Sprintf("%s-%s-%d", category, w.name, w.made)
}

// expected chooses what an append to stream expects, right or wrong.
func (w *writer) expected(stream string, fresh bool) int64 {
	known := w.known[stream]
	switch chance := w.random.IntN(100); {
	case fresh && chance < 60:
		return int64(store.NoStream)
	case chance < 40:
		return int64(store.Any)
	case chance < 72:
		return known
	case chance < 80:
		return max(0, known-1-w.random.Int64N(3))
	case chance < 86:
		return known + 1 + w.random.Int64N(5)
	case chance < 93:
		return int64(store.NoStream)
	default:
		return int64(store.StreamExists)
	}
}

// ids makes those of one batch: often one, at times fifty, rarely thousands.
func (w *writer) ids() []idRun {
	n := 1
	switch chance := w.random.IntN(1000); {
	case chance < 450:
	case chance < 995:
		n = 1 + w.random.IntN(50)
	default:
		n = 1_000 + w.random.IntN(2_000)
	}
	id, err := newIDs()
	if err != nil {
		// Without random numbers of the system there are these.
		id = uuid.NewSHA1(uuid.NameSpaceOID, fmt.Appendf(nil, "%s %d %d", w.name, w.ops, clock()))
		id = plus(id, -(uint64(id[14])<<8 | uint64(id[15])))
	}
	return []idRun{{id, n}}
}
