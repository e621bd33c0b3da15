package subscribe_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
	"github.com/esgen/esgen/runtime/subscribe"
)

// member is a process as the store sees it, without anything that handles events.
type member struct {
	db store.Store
	store.Member
	holds map[int]store.Lane
}

func joins(t *testing.T, db store.Store, label string, names ...string) *member {
	t.Helper()
	m := &member{db: db, Member: store.Member{ID: uuid.New(), Label: label, Lease: time.Minute, Runs: names}}
	m.renew(t)
	return m
}

func (m *member) renew(t *testing.T) store.Renewal {
	t.Helper()
	r, err := m.db.Subscriptions().Renew(t.Context(), m.Member)
	if err != nil {
		t.Fatal(err)
	}
	m.holds = make(map[int]store.Lane)
	for _, lane := range r.Lanes {
		m.holds[lane.Lane] = lane
	}
	return r
}

func (m *member) hold(lane int) store.Hold {
	l := m.holds[lane]
	return store.Hold{Subscription: m.Runs[0], Lane: lane, Token: l.Token}
}

func (m *member) advance(t *testing.T, lane int, to uint64) {
	t.Helper()
	if err := m.db.Subscriptions().Advance(t.Context(), store.Move{Hold: m.hold(lane), From: m.holds[lane].At, To: to}); err != nil {
		t.Fatal(err)
	}
	l := m.holds[lane]
	l.At = to
	m.holds[lane] = l
}

func opens(t *testing.T, db store.Store, name, settings string, lanes int) {
	t.Helper()
	if _, err := db.Subscriptions().Open(t.Context(), store.Subscription{Name: name, Settings: settings, Lanes: make([]store.Lane, lanes)}); err != nil {
		t.Fatal(err)
	}
}

func found(t *testing.T, db store.Store, name string) subscribe.Info {
	t.Helper()
	info, err := subscribe.Find(t.Context(), db, name)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func TestSubscriptionsAreListed(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, db store.Store) {
		none, err := subscribe.List(t.Context(), db)
		if err != nil || none == nil || len(none) > 0 {
			t.Errorf("an empty store lists %v, %v", none, err)
		}
		appendTo(t, db, "bank-1", 2)
		appendTo(t, db, "cards-1", 3)
		opens(t, db, "all", "$all; 1 lane by stream", 1)
		opens(t, db, "bank", `categories "bank"; 2 lanes by stream`, 2)
		opens(t, db, "one", `stream "cards-1"; 1 lane by stream`, 1)
		opens(t, db, "rare", `$all; types "none"; 1 lane by stream`, 1)
		opens(t, db, "strange", "of tomorrow", 1)
		list, err := subscribe.List(t.Context(), db)
		if err != nil || len(list) != 5 {
			t.Fatalf("%+v, %v", list, err)
		}
		for i, want := range []subscribe.Info{
			{Name: "all", Reads: "$all", State: "nobody runs it", Head: 5, Behind: 5},
			{Name: "bank", Reads: `categories "bank"`, State: "nobody runs it", Head: 5, Behind: 2, AtMost: true},
			{Name: "one", Reads: `stream "cards-1"`, State: "nobody runs it", Head: 3, Behind: 3},
			{Name: "rare", Reads: `$all; types "none"`, State: "nobody runs it", Head: 5},
			{Name: "strange", Reads: "of tomorrow", State: `its settings "of tomorrow" are not of this release: invalid syntax`},
		} {
			got := list[i]
			if (got.BehindTime > 0) != (want.Behind > 0) || got.BehindTime > time.Hour {
				t.Errorf("%s is %s behind", got.Name, got.BehindTime)
			}
			if got.Created.IsZero() || got.Settings == "" {
				t.Errorf("%+v", got)
			}
			got.BehindTime, got.Created, got.Settings, got.Lanes = 0, time.Time{}, "", nil
			if !equal(got, want) {
				t.Errorf("listed\n%+v, want\n%+v", got, want)
			}
		}
		m := joins(t, db, "host 1", "bank")
		other := joins(t, db, "host 2", "bank")
		m.advance(t, 1, 1)
		bank := found(t, db, "bank")
		if bank.Lanes[1].Owner != "host 1" || bank.Lanes[1].Member != m.ID || bank.Lanes[1].Expires.IsZero() || bank.Lanes[1].Here {
			t.Errorf("lane 1 is %+v", bank.Lanes[1])
		}
		if bank.State != "catching up" || bank.At != 0 || bank.Behind != 2 || bank.Lanes[1].Behind != 1 || bank.Lanes[0].Behind != 2 {
			t.Errorf("%+v", bank)
		}
		m.advance(t, 0, 2)
		m.advance(t, 1, 2)
		// The store's last event is of another category.
		if bank = found(t, db, "bank"); bank.State != "live" || bank.Behind != 0 || bank.Head != 5 || bank.Lanes[0].Behind != 0 {
			t.Errorf("%+v", bank)
		}
		if err := db.Subscriptions().Report(t.Context(), m.hold(1), "no route to host"); err != nil {
			t.Fatal(err)
		}
		bank = found(t, db, "bank")
		if bank.State != "failing" || bank.LastError != "no route to host" || bank.LastErrorLane != 1 || bank.LastErrorSince.IsZero() {
			t.Errorf("%+v", bank)
		}
		if err := db.Subscriptions().Release(t.Context(), m.hold(1)); err != nil {
			t.Fatal(err)
		}
		if bank = found(t, db, "bank"); bank.State != "1 of 2 lanes have no owner" {
			t.Errorf("%+v", bank)
		}
		if err := db.Subscriptions().Leave(t.Context(), other.ID); err != nil {
			t.Fatal(err)
		}
	})
}

func equal(a, b subscribe.Info) bool {
	return a.Name == b.Name && a.Reads == b.Reads && a.State == b.State && a.Paused == b.Paused && a.At == b.At && a.Head == b.Head &&
		a.Behind == b.Behind && a.AtMost == b.AtMost && a.Parked == b.Parked && a.InFlight == b.InFlight && a.LastError == b.LastError
}

func TestManyEventsBehindAreCountedByPlaces(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, db store.Store) {
		appendTo(t, db, "bank-1", 150)
		appendTo(t, db, "cards-1", 150)
		opens(t, db, "bank", `categories "bank"; 1 lane by stream`, 1)
		if info := found(t, db, "bank"); info.Behind != 300 || !info.AtMost {
			t.Errorf("%+v", info)
		}
		joins(t, db, "host", "bank").advance(t, 0, 100)
		if info := found(t, db, "bank"); info.Behind != 50 || info.AtMost || info.At != 100 {
			t.Errorf("%+v", info)
		}
	})
}

func TestMoreSubscriptionsThanAPageAreListed(t *testing.T) {
	t.Parallel()
	db := openSQLite(t)
	for i := range 201 {
		opens(t, db, "s"+string(rune('a'+i/26/26))+string(rune('a'+i/26%26))+string(rune('a'+i%26)), "$all; 1 lane by stream", 1)
	}
	list, err := subscribe.List(t.Context(), db)
	if err != nil || len(list) != 201 || !slices.IsSortedFunc(list, func(a, b subscribe.Info) int { return strings.Compare(a.Name, b.Name) }) {
		t.Errorf("%d, %v", len(list), err)
	}
}

func TestPausedLanesAreTakenFromTheirOwner(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, db store.Store) {
		opens(t, db, "s", "$all; 2 lanes by stream", 2)
		m := joins(t, db, "elsewhere", "s")
		for range 2 { // once more is no error
			if err := subscribe.Pause(t.Context(), db, "s"); err != nil {
				t.Fatal(err)
			}
		}
		if info := found(t, db, "s"); info.State != "paused" || !info.Paused {
			t.Errorf("%+v", info)
		}
		err := db.Subscriptions().Advance(t.Context(), store.Move{Hold: m.hold(0), To: 1})
		if !errors.Is(err, store.ErrFenced) {
			t.Errorf("the old owner goes on: %v", err)
		}
		if r := m.renew(t); !r.Shares[0].Paused || len(r.Lanes) > 0 {
			t.Errorf("a paused subscription gives %+v", r)
		}
		if err := subscribe.Resume(t.Context(), db, "s"); err != nil {
			t.Fatal(err)
		}
		if r := m.renew(t); len(r.Lanes) != 2 {
			t.Errorf("a resumed subscription gives %+v", r)
		}
	})
}

func TestResetsGoWhereTheyAreTold(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, db store.Store) {
		day := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
		for i := range 4 {
			stream := []string{"bank-1", "cards-1"}[i%2]
			_, err := db.Append(t.Context(), store.Batch{Stream: stream, Expected: store.Any, Events: []store.Event{
				{Type: "x", Format: store.JSON, Data: []byte(`{}`), Time: day.AddDate(0, 0, i)},
			}})
			if err != nil {
				t.Fatal(err)
			}
		}
		opens(t, db, "all", "$all; 2 lanes by stream", 2)
		opens(t, db, "bank", `categories "bank"; 1 lane by stream`, 1)
		opens(t, db, "one", `stream "cards-1"; 1 lane by stream`, 1)
		opens(t, db, "strange", "of tomorrow", 1)
		for _, test := range []struct {
			name  string
			start subscribe.Start
			want  uint64
		}{
			{"all", nil, 0},
			{"all", subscribe.Current, 4},
			{"all", subscribe.Origin, 0},
			{"all", subscribe.After(3), 3},
			{"all", subscribe.At(day.AddDate(0, 0, 1)), 1},
			{"all", subscribe.At(day.AddDate(1, 0, 0)), 4},
			{"all", subscribe.At(day.AddDate(-1, 0, 0)), 0},
			{"bank", subscribe.At(day.AddDate(0, 0, 1)), 2}, // the next one of the category is 3
			{"bank", subscribe.Current, 4},
			{"one", subscribe.AfterVersion(1), 1},
			{"one", subscribe.Current, 2},
			{"one", subscribe.At(day.AddDate(0, 0, 3)), 1},
			{"strange", subscribe.Origin, 0},
		} {
			at, err := subscribe.Move(t.Context(), db, test.name, test.start)
			if err != nil || at != test.want {
				t.Errorf("move %s to %v: %d, %v, want %d", test.name, test.start, at, err, test.want)
			}
			for _, lane := range found(t, db, test.name).Lanes {
				if lane.At != test.want {
					t.Errorf("%s: lane %d is at %d after a move to %v", test.name, lane.Lane, lane.At, test.start)
				}
			}
		}
		for _, test := range []struct {
			name  string
			start subscribe.Start
			want  string
		}{
			{"all", subscribe.After(5), "to begin after 5 is to pass over what is not there yet, for the last event is 4"},
			{"all", subscribe.AfterVersion(1), "only a subscription to one stream counts versions"},
			{"one", subscribe.After(1), "counted in versions"},
			{"one", subscribe.AfterVersion(3), "the last event is 2"},
			{"strange", subscribe.Current, "not of this release"},
			{"missing", subscribe.Origin, "subscription missing not found"},
		} {
			if _, err := subscribe.Reset(t.Context(), db, test.name, test.start); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("reset %s to %v: %v, want %q", test.name, test.start, err, test.want)
			}
		}
	})
}

func TestAResetTakesTheLanesAndForgetsWhatIsParked(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, db store.Store) {
		m, p := parks(t, db, "s")
		if _, err := subscribe.Move(t.Context(), db, "s", subscribe.Current); err != nil {
			t.Fatal(err)
		}
		if info := found(t, db, "s"); info.Parked != len(p) || info.Behind != 0 {
			t.Errorf("after a move: %+v", info)
		}
		m.renew(t)
		if _, err := subscribe.Reset(t.Context(), db, "s", subscribe.Origin); err != nil {
			t.Fatal(err)
		}
		if info := found(t, db, "s"); info.Parked != 0 || info.At != 0 {
			t.Errorf("after a reset: %+v", info)
		}
		err := db.Subscriptions().Advance(t.Context(), store.Move{Hold: m.hold(0), From: 0, To: 3})
		if !errors.Is(err, store.ErrFenced) {
			t.Errorf("the old owner goes on: %v", err)
		}
	})
}

func TestRenamesAndDeletionsReachWhoRunsIt(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, db store.Store) {
		m, p := parks(t, db, "s")
		opens(t, db, "taken", "$all; 1 lane by stream", 1)
		if err := subscribe.Rename(t.Context(), db, "s", "taken"); !errors.Is(err, store.ErrSubscriptionExists) {
			t.Errorf("renamed to a name that is taken: %v", err)
		}
		if err := subscribe.Rename(t.Context(), db, "s", "new"); err != nil {
			t.Fatal(err)
		}
		if r := m.renew(t); !r.Shares[0].Missing || len(r.Lanes) > 0 {
			t.Errorf("the old name gives %+v", r)
		}
		if info := found(t, db, "new"); info.Parked != len(p) {
			t.Errorf("%+v", info)
		}
		owner := joins(t, db, "elsewhere", "new")
		if err := subscribe.Delete(t.Context(), db, "new"); err != nil {
			t.Fatal(err)
		}
		if r := owner.renew(t); !r.Shares[0].Missing || len(r.Lanes) > 0 {
			t.Errorf("a deleted subscription gives %+v", r)
		}
		for what, err := range map[string]error{
			"delete": subscribe.Delete(t.Context(), db, "new"),
			"rename": subscribe.Rename(t.Context(), db, "new", "newer"),
			"pause":  subscribe.Pause(t.Context(), db, "new"),
			"resume": subscribe.Resume(t.Context(), db, "new"),
			"find":   second(subscribe.Find(t.Context(), db, "new")),
			"move":   second(subscribe.Move(t.Context(), db, "new", nil)),
			"wait":   subscribe.WaitFor(t.Context(), db, "new"),
			"retry":  second(subscribe.RetryParked(t.Context(), db, "new", "k", "")),
		} {
			if !errors.Is(err, store.ErrSubscriptionNotFound) {
				t.Errorf("%s: %v", what, err)
			}
		}
	})
}

func second[T any](_ T, err error) error { return err }

// parks returns a subscription to all, with one lane at 3 and what is parked of it.
func parks(t *testing.T, db store.Store, name string) (*member, []store.Parked) {
	t.Helper()
	for _, stream := range []string{"bank-1", "bank-2", "bank-1"} {
		appendTo(t, db, stream, 1)
	}
	opens(t, db, name, "$all; 1 lane by stream", 1)
	m := joins(t, db, "host", name)
	var parked []store.Parked
	for r, err := range db.Read(t.Context(), store.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		p := store.Parked{
			Key: r.Stream, At: uint64(r.Position), Stream: r.Stream, Version: r.Version, Position: r.Position,
			EventID: r.ID, Type: r.Type, State: store.ParkedWaiting,
		}
		if r.Version == 1 {
			p.Attempts, p.Error = 10, "no such account"
		}
		parked = append(parked, p)
	}
	if err := db.Subscriptions().Park(t.Context(), m.hold(0), parked...); err != nil {
		t.Fatal(err)
	}
	m.advance(t, 0, 3)
	return m, parked
}

func TestParkedEventsAreListedRetriedAndDiscarded(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, db store.Store) {
		_, parked := parks(t, db, "s")
		list := func(states ...store.ParkedState) (words []string) {
			t.Helper()
			q := store.ParkedQuery{Subscription: "s", Lane: -1, States: states, Limit: 1} // a page each
			for p, err := range subscribe.Parked(t.Context(), db, q) {
				if err != nil {
					t.Fatal(err)
				}
				words = append(words, p.Key+" "+string(p.State)+" "+p.Error+p.Reason)
				r, err := subscribe.ParkedEvent(t.Context(), db, p)
				if err != nil || r.ID != p.EventID || uint64(r.Position) != p.At {
					t.Errorf("%+v is %+v, %v", p, r, err)
				}
			}
			return words
		}
		want := []string{"bank-1 parked no such account", "bank-1 parked ", "bank-2 parked no such account"}
		if got := list(); !slices.Equal(got, want) {
			t.Errorf("listed %q", got)
		}
		for range subscribe.Parked(t.Context(), db, store.ParkedQuery{Subscription: "s", Lane: -1}) {
			break
		}
		if n, err := subscribe.RetryParked(t.Context(), db, "s", "bank-1", "mended"); n != 2 || err != nil {
			t.Errorf("retried %d, %v", n, err)
		}
		if n, err := subscribe.DiscardParked(t.Context(), db, "s", "bank-2", ""); n != 0 || !errors.Is(err, store.ErrInvalid) {
			t.Errorf("discarded %d without a reason, %v", n, err)
		}
		if n, err := subscribe.DiscardParked(t.Context(), db, "s", "bank-2", "test data"); n != 1 || err != nil {
			t.Errorf("discarded %d, %v", n, err)
		}
		if n, err := subscribe.DiscardParked(t.Context(), db, "s", "bank-2", "again"); n != 0 || err != nil {
			t.Errorf("discarded %d, %v", n, err)
		}
		if got := list(store.ParkedRetry, store.ParkedWaiting); !slices.Equal(got, []string{"bank-1 retry no such accountmended", "bank-1 retry mended"}) {
			t.Errorf("after a retry %q", got)
		}
		if got := list(store.ParkedDiscarded); !slices.Equal(got, []string{"bank-2 discarded no such accounttest data"}) {
			t.Errorf("after a discard %q", got)
		}
		if info := found(t, db, "s"); info.Parked != 2 {
			t.Errorf("%+v", info)
		}
		gone := parked[0]
		gone.Subscription, gone.Version = "s", 9
		if _, err := subscribe.ParkedEvent(t.Context(), db, gone); !errors.Is(err, store.ErrEventNotFound) || !strings.Contains(err.Error(), "version 9 of bank-1") {
			t.Errorf("an event that is gone: %v", err)
		}
		for _, err := range subscribe.Parked(t.Context(), db, store.ParkedQuery{Subscription: "missing", Lane: -1}) {
			if !errors.Is(err, store.ErrSubscriptionNotFound) {
				t.Error(err)
			}
		}
	})
}

func TestWatchTellsOfThoseItIsAskedFor(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, db store.Store) {
		appendTo(t, db, "bank-1", 3)
		opens(t, db, "a", "$all; 1 lane by stream", 1)
		opens(t, db, "b", "$all; 1 lane by stream", 1)
		m := joins(t, db, "host", "b")
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		rounds := 0
		for all, err := range subscribe.Watch(ctx, db, time.Millisecond, "b") {
			if rounds++; rounds == 3 {
				if !errors.Is(err, context.Canceled) {
					t.Errorf("it ends with %v, %v", all, err)
				}
				continue // and does
			}
			if err != nil || len(all) != 1 || all[0].Name != "b" {
				t.Fatalf("%+v, %v", all, err)
			}
			if rounds == 1 {
				m.advance(t, 0, 1)
				continue
			}
			if all[0].Rate <= 0 || all[0].Left <= 0 || all[0].Behind != 2 {
				t.Errorf("%+v", all[0])
			}
			cancel()
		}
		if rounds != 3 {
			t.Errorf("%d rounds", rounds)
		}
		for _, err := range subscribe.Watch(t.Context(), db, 0) {
			if !errors.Is(err, store.ErrInvalid) {
				t.Error(err)
			}
		}
		for _, err := range subscribe.Watch(t.Context(), db, time.Millisecond, "missing") {
			if !errors.Is(err, store.ErrSubscriptionNotFound) {
				t.Error(err)
			}
		}
	})
}

// A list of many subscriptions does not ask for the end of the log for each.
func TestListAsksOnceWhereTheLogEnds(t *testing.T) {
	t.Parallel()
	db := &faulty{Store: memory.New(memory.Config{})}
	appendTo(t, db, "bank-1", 3)
	for i := range 20 {
		opens(t, db, fmt.Sprint("s", i), "$all; 1 lane by stream", 1)
		joins(t, db, "host", fmt.Sprint("s", i)).advance(t, 0, 3)
	}
	before := db.reads.Load()
	all, err := subscribe.List(t.Context(), db)
	if err != nil || len(all) != 20 || all[7].Head != 3 || all[7].State != "live" {
		t.Fatalf("%+v, %v", all, err)
	}
	if n := db.reads.Load() - before; n != 1 {
		t.Errorf("%d reads of events for 20 subscriptions that are at the end", n)
	}
}
