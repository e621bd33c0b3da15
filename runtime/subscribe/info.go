package subscribe

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/esgen/esgen/internal/printable"
	"github.com/esgen/esgen/runtime/store"
)

// Info tells of a subscription as the store knows it, whoever runs it. A checkpoint
// follows the handling by up to [Config.CheckpointAfter]; of lanes that this process
// owns the place is that of the handling itself.
type Info struct {
	Name string
	// Reads is what it reads: $all, a stream, or categories.
	Reads string
	// Settings are that and how it is divided into lanes.
	Settings string
	// State in words: "live", "catching up", "paused", "nobody runs it", "2 of 4 lanes
	// have no owner", "failing", "stands still for 5m0s", "beyond the last event".
	State   string
	Paused  bool
	Created time.Time
	// At is the lowest place of its lanes, and Head the last of the store, or for a
	// subscription to one stream of the stream.
	At, Head uint64
	// Behind is how many events there are to handle. AtMost tells that it counts
	// places, among which may be events that it does not read, or that were handled by
	// other lanes.
	Behind uint64
	AtMost bool
	// BehindTime is how old the first of them is, by the clock of this machine.
	BehindTime time.Duration
	// InFlight counts the events that lanes of this process have begun to handle.
	InFlight int
	// Parked counts the events that wait parked or are to be tried again.
	Parked int
	// LastError is what an owner could not do and has not done since, with its lane
	// and since when; empty if there is nothing.
	LastError      string
	LastErrorLane  int
	LastErrorSince time.Time
	Lanes          []LaneInfo

	// Rate is how many places it has moved in a second, on average of the last half
	// minute, and Left how long it will take to be live if both it and those who
	// append go on so: 0 if it is, negative if that is not known, for it does not come
	// nearer. Only [Watch] knows them.
	Rate float64
	Left time.Duration
}

// LaneInfo tells of a lane.
type LaneInfo struct {
	Lane int
	// At is its place, and Behind how many events come after it, at most.
	At, Behind uint64
	// Owner is the label of the process that has it, and Member its id; empty if
	// nobody has. Here tells that it is this process.
	Owner  string
	Member uuid.UUID
	Here   bool
	// Expires is when another process may take it unless the owner is heard of again,
	// by the store's clock.
	Expires time.Time
	// InFlight counts the events that this process has begun to handle.
	InFlight   int
	Error      string
	ErrorSince time.Time
	// Changed is when its checkpoint last moved.
	Changed time.Time
}

// countedEvents is how many events are read to count those that are not handled yet. A
// subscription that is farther behind is told by places.
const countedEvents = 100

// standsStill is how long a lane that has something to do may stand before its state says so.
const standsStill = time.Minute

// clockSkew is how much the clocks of the store and of this machine may differ before an
// owner that is alive looks dead.
const clockSkew = 5 * time.Second

// List tells of all subscriptions, in the order of their names. It reads a few events
// of each that is behind.
func List(ctx context.Context, db store.Store) ([]Info, error) {
	all := []Info{}
	var after string
	for {
		const page = 100
		found, err := db.Subscriptions().List(ctx, after, page)
		if err != nil {
			return nil, err
		}
		infos, err := infosOf(ctx, db, found, time.Now())
		if err != nil {
			return nil, err
		}
		all = append(all, infos...)
		if len(found) < page {
			return all, nil
		}
		after = found[len(found)-1].Name
	}
}

// Find tells of one subscription. The error is a [*store.SubscriptionNotFoundError] if
// there is none of the name.
func Find(ctx context.Context, db store.Store, name string) (Info, error) {
	s, err := db.Subscriptions().Find(ctx, name)
	if err != nil {
		return Info{}, err
	}
	infos, err := infosOf(ctx, db, []store.Subscription{s}, time.Now())
	if err != nil {
		return Info{}, err
	}
	return infos[0], nil
}

// infosOf asks for the end of the log once, after all places are known: nobody is
// farther than that.
func infosOf(ctx context.Context, db store.Store, found []store.Subscription, now time.Time) ([]Info, error) {
	all := make([]Info, len(found))
	for i, s := range found {
		all[i] = placed(db, s, now)
	}
	heads := logEnds{}
	for i, s := range found {
		info := &all[i]
		r, err := parseScope(s.Settings)
		if err != nil {
			// What cannot be read can still be paused, moved and deleted.
			info.Reads, info.State = s.Settings, err.Error()
			continue
		}
		info.Reads = r.words
		if err := info.measure(ctx, db, r, heads, now); err != nil {
			return nil, fmt.Errorf("tell how far subscription %s is: %w", printable.Name(s.Name), err)
		}
		info.State = info.describe(now)
	}
	return all, nil
}

// logEnds are the last places of streams, and of all under the empty name.
type logEnds map[string]uint64

func (e logEnds) of(ctx context.Context, db store.Streams, r scope) (uint64, error) {
	if at, known := e[r.selects.Stream]; known {
		return at, nil
	}
	at, err := r.head(ctx, db)
	if err == nil {
		e[r.selects.Stream] = at
	}
	return at, err
}

// placed tells what is known without reading events.
func placed(db store.Store, s store.Subscription, now time.Time) Info {
	info := Info{
		Name: s.Name, Settings: s.Settings, Paused: s.Paused, Created: s.Created, Parked: s.Parked,
		Lanes: make([]LaneInfo, len(s.Lanes)),
	}
	here := standingsOf(db.Local())
	for i, lane := range s.Lanes {
		info.Lanes[i] = laneOfStore(lane, here.find(lane), now)
	}
	info.sum()
	return info
}

// laneOfStore is the lane as it is stored, or as it is here if that is farther.
func laneOfStore(l store.Lane, here *standing, now time.Time) LaneInfo {
	info := LaneInfo{
		Lane: l.Lane, At: l.At, Owner: l.Label, Member: l.Owner, Expires: l.Expires,
		Error: l.Error, ErrorSince: l.ErrorSince, Changed: l.Changed,
	}
	if here != nil {
		info.Here, info.At, info.InFlight = true, here.place(l), int(here.inFlight.Load())
	}
	if l.Owner != uuid.Nil && now.Sub(l.Expires) > clockSkew {
		info.Owner, info.Member = "", uuid.Nil // whoever looks for a lane gets it
	}
	return info
}

// sum adds up what is known of the lanes.
func (i *Info) sum() {
	for n, lane := range i.Lanes {
		if n == 0 || lane.At < i.At {
			i.At = lane.At
		}
		i.InFlight += lane.InFlight
		if lane.Error != "" && (i.LastError == "" || lane.ErrorSince.After(i.LastErrorSince)) {
			i.LastError, i.LastErrorLane, i.LastErrorSince = lane.Error, lane.Lane, lane.ErrorSince
		}
	}
}

// measure finds out how far behind it is.
func (i *Info) measure(ctx context.Context, db store.Streams, r scope, heads logEnds, now time.Time) (err error) {
	if i.Head, err = heads.of(ctx, db, r); err != nil || i.Head <= i.At {
		return err
	}
	limit := 1
	if !r.all() || len(i.Lanes) > 1 {
		limit = countedEvents
	}
	waiting, err := r.next(ctx, db, i.At, limit)
	if err != nil || len(waiting) == 0 {
		return err
	}
	i.Behind = uint64(len(waiting))
	if len(waiting) == limit {
		i.Behind, i.AtMost = i.Head-i.At, !r.all()
	}
	i.AtMost = i.AtMost || len(i.Lanes) > 1
	i.BehindTime = max(0, now.Sub(waiting[0].Time))
	for n := range i.Lanes {
		lane := &i.Lanes[n]
		switch {
		case lane.At >= i.Head:
		case len(waiting) < limit:
			after, _ := slices.BinarySearchFunc(waiting, lane.At+1, func(e store.Recorded, at uint64) int {
				return int(min(max(int64(r.place(e)-at), -1), 1))
			})
			lane.Behind = uint64(len(waiting) - after)
		default:
			lane.Behind = i.Head - lane.At
		}
	}
	return nil
}

// describe says in words how it is. What keeps it from going on comes first.
func (i *Info) describe(now time.Time) string {
	alone, stuck := 0, time.Duration(0)
	for _, lane := range i.Lanes {
		switch {
		case lane.Member == uuid.Nil && !lane.Here:
			alone++
		case lane.Behind > 0 && now.Sub(lane.Changed) > standsStill && !lane.Here:
			stuck = max(stuck, now.Sub(lane.Changed))
		}
	}
	switch {
	case i.Paused:
		return "paused"
	case i.beyond():
		return "beyond the last event"
	case alone == len(i.Lanes):
		return "nobody runs it"
	case i.LastError != "":
		return "failing"
	case alone > 0:
		return fmt.Sprintf("%d of %d lanes have no owner", alone, len(i.Lanes))
	case min(stuck, i.BehindTime) > standsStill:
		return "stands still for " + min(stuck, i.BehindTime).Round(time.Second).String()
	case i.Behind > 0:
		return "catching up"
	default:
		return "live"
	}
}

// beyond: a database was restored and holds less than what was handled, or the last
// events were removed; then it goes on with the next one. A stream of
// which removals have left nothing has a head of 0, which says nothing.
func (i *Info) beyond() bool {
	return i.At > i.Head && (i.Head > 0 || i.Reads[0] == '$')
}
