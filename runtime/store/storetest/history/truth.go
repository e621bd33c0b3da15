package history

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// truth is what all logs together say.
type truth struct {
	logs     int
	finished bool
	dense    bool
	// final is all that is stored in the end, in the order of $all, and placed
	// where an id is in it.
	final  []seen
	placed map[uuid.UUID]int

	ops    []*op
	owners map[uuid.UUID][]*op
	// doomed are streams that somebody began to delete.
	doomed map[string]bool

	// links are what was linked, shown what streams of links show in the end.
	links []*op
	shown []record

	// hidden are streams and what their writer knew of them, shows what they are.
	hidden, shows map[string]string

	looks    []record
	chains   []*chain
	faults   []record
	problems []Problem

	// given are the deliveries of each subscription, effects how often each event
	// has had one, and stopped when each process was.
	given   map[string][]*delivery
	effects map[string]map[uuid.UUID]int
	stopped []record
}

type status int

const (
	isRefused status = iota
	isUnknown
	isStored
)

// never is the end of what has no end.
const never = math.MaxInt64

// op is one append, with all its tries, or one deletion.
type op struct {
	name      string
	batches   []batch
	tx, alone bool
	del       string
	// begin is the first intent; end the answer that settled it, or never.
	begin, end int64
	status     status
	// answer is that of a status of stored.
	answer []appended
	// open tells that an earlier try may yet be stored, tried how many there were.
	open  bool
	tried int
	why   string
	// said are the tries' refusals, with their begin.
	said []record
	last int64 // begin of the latest try
	told int64 // time of the latest answer
}

// chain is a sequence of events that must be without a gap.
type chain struct {
	log     string
	query   record
	seen    []run
	reads   []record // of a chain of $all: the ends of reads, without events
	follows bool
}

func load(dir string) (*truth, error) {
	t := &truth{
		placed: make(map[uuid.UUID]int), owners: make(map[uuid.UUID][]*op), doomed: make(map[string]bool), hidden: make(map[string]string), shows: make(map[string]string),
		given: make(map[string][]*delivery), effects: make(map[string]map[uuid.UUID]int),
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"+suffix))
	if err != nil {
		return nil, err
	}
	for _, path := range files {
		t.logs++
		l := &loading{truth: t, name: strings.TrimSuffix(filepath.Base(path), suffix), ops: make(map[int]*op), given: make(map[int]*delivery)}
		if err := readLog(path, l.record); err != nil {
			return nil, err
		}
	}
	for _, o := range t.links {
		o.settle()
	}
	for _, o := range t.ops {
		o.settle()
		if o.del != "" {
			t.doomed[o.del] = true
		}
		for _, b := range o.batches {
			b.each(func(_ int, id uuid.UUID) { t.owners[id] = append(t.owners[id], o) })
		}
	}
	return t, nil
}

// loading is one log being read.
type loading struct {
	*truth
	name   string
	ops    map[int]*op
	given  map[int]*delivery
	follow *chain
}

func (l *loading) record(r record) {
	switch r.Kind {
	case kindIntent:
		l.intent(r)
	case kindStored, kindRefused, kindUnknown:
		if o := l.ops[r.Op]; o != nil {
			o.outcome(r)
		} else {
			l.wrongf(ruleAnswer, "an answer to what was never asked: %+v", r)
		}
	case kindHidden:
		l.hidden[r.Stream] = r.Why
	case kindShows:
		l.shows[r.Stream] = r.Why
	case kindShown:
		l.shown = append(l.shown, r)
	case kindLooked:
		l.looks = append(l.looks, r)
	case kindRead:
		l.read(r)
	case kindFault:
		l.faults = append(l.faults, r)
	case kindProblem:
		l.wrongf(r.Why, "%s", r.Text)
	case kindGiven, kindHandled:
		l.delivery(r)
	case kindStopped:
		l.stopped = append(l.stopped, r)
	case kindEffect:
		if l.effects[r.Subscription] == nil {
			l.effects[r.Subscription] = make(map[uuid.UUID]int)
		}
		l.effects[r.Subscription][r.ID] += r.Count
	case kindFinal:
		l.finished = l.finished || r.Done
		l.dense = l.dense || r.Why == "dense"
		for _, part := range r.Seen {
			part.each(func(e seen) {
				if i, ok := l.placed[e.id]; ok {
					l.wrongf(ruleTwice, "%s is stored as %s and as %s", e.id, l.final[i], e)
				}
				l.placed[e.id] = len(l.final)
				l.final = append(l.final, e)
			})
		}
	}
}

func (l *loading) wrongf(rule, format string, args ...any) {
	l.problems = append(l.problems, Problem{rule, l.name + ": " + fmt.Sprintf(format, args...)})
}

func (l *loading) intent(r record) {
	o := l.ops[r.Op]
	if o == nil {
		o = &op{
			name: fmt.Sprintf("%s/%d", l.name, r.Op), batches: r.Batches, tx: r.Tx, alone: r.Alone, del: r.Delete,
			begin: r.Time, end: never, why: "cut off",
		}
		l.ops[r.Op] = o
		if r.Links {
			l.links = append(l.links, o)
		} else {
			l.truth.ops = append(l.truth.ops, o)
		}
	}
	o.tried++
	o.last, o.end = r.Time, never
}

func (o *op) outcome(r record) {
	r.Begin = o.last
	switch r.Kind {
	case kindStored:
		o.status, o.answer = isStored, r.Appended
	case kindUnknown:
		o.open = true
	default:
		o.why = r.Why
		o.said = append(o.said, r)
		// A stream that is past the expected version never comes back to it, and an
		// id that is stored elsewhere stays there.
		if r.Why == whyDuplicate || r.Why == whyConflict && r.Expected >= 0 && r.Version > r.Expected {
			o.open = false
		}
	}
	o.end, o.told = r.Time, r.Time
}

// settle decides when all is read. A try without an answer may have been stored.
func (o *op) settle() {
	switch {
	case o.status == isStored:
	case o.open || o.end == never:
		o.status, o.end = isUnknown, never
	default:
		o.status = isRefused
	}
}

func (l *loading) read(r record) {
	c := l.follow
	if !r.Follows || c == nil {
		c = &chain{log: l.name, query: r, follows: r.Follows}
		l.chains = append(l.chains, c)
		if r.Follows {
			l.follow = c
		}
	}
	forward := r.Seen
	if r.Backward {
		forward = nil
		for _, part := range slices.Backward(r.Seen) {
			part.each(func(e seen) { forward = add(forward, e) })
		}
	}
	c.seen = append(c.seen, forward...)
	if r.Stream == "" && r.Category == "" && r.Done && !r.Backward {
		r.Version = int64(r.From) - 1
		if n := len(r.Seen); n > 0 {
			r.Version = int64(r.Seen[n-1].Position) + int64(r.Seen[n-1].N) - 1
		}
		r.Seen = nil
		c.reads = append(c.reads, r)
	}
}

func (e seen) String() string {
	return fmt.Sprintf("version %d of %s at position %d (%s)", e.version, e.stream, e.position, e.id)
}

func category(stream string) string {
	before, _, _ := strings.Cut(stream, "-")
	return before
}
