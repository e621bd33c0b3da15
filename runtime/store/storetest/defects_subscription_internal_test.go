package storetest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
)

// spoiled are subscriptions with one defect: whatever is set replaces the sound
// behaviour.
type spoiled struct {
	store.Subscriptions
	open    func(context.Context, store.Subscription) (store.Subscription, error)
	find    func(context.Context, string) (store.Subscription, error)
	list    func(ctx context.Context, after string, limit int) ([]store.Subscription, error)
	renew   func(context.Context, store.Member) (store.Renewal, error)
	release func(context.Context, []store.Hold) error
	leave   func(context.Context, uuid.UUID) error
	advance func(context.Context, []store.Move) error
	report  func(context.Context, store.Hold, string) error
	park    func(context.Context, store.Hold, []store.Parked) error
	unpark  func(ctx context.Context, h store.Hold, key string, at uint64) error
	parked  func(context.Context, store.ParkedQuery) ([]store.Parked, error)
	mark    func(ctx context.Context, name, key string, state store.ParkedState, reason string) (int, error)
	pause   func(ctx context.Context, name string, paused bool) error
	reset   func(ctx context.Context, name string, at uint64, drop bool) error
	rename  func(ctx context.Context, name, to string) error
	remove  func(ctx context.Context, name string) error
}

func (s *spoiled) Open(ctx context.Context, sub store.Subscription) (store.Subscription, error) {
	if s.open == nil {
		return s.Subscriptions.Open(ctx, sub)
	}
	return s.open(ctx, sub)
}

func (s *spoiled) Find(ctx context.Context, name string) (store.Subscription, error) {
	if s.find == nil {
		return s.Subscriptions.Find(ctx, name)
	}
	return s.find(ctx, name)
}

func (s *spoiled) List(ctx context.Context, after string, limit int) ([]store.Subscription, error) {
	if s.list == nil {
		return s.Subscriptions.List(ctx, after, limit)
	}
	return s.list(ctx, after, limit)
}

func (s *spoiled) Renew(ctx context.Context, m store.Member) (store.Renewal, error) {
	if s.renew == nil {
		return s.Subscriptions.Renew(ctx, m)
	}
	return s.renew(ctx, m)
}

func (s *spoiled) Release(ctx context.Context, holds ...store.Hold) error {
	if s.release == nil {
		return s.Subscriptions.Release(ctx, holds...)
	}
	return s.release(ctx, holds)
}

func (s *spoiled) Leave(ctx context.Context, member uuid.UUID) error {
	if s.leave == nil {
		return s.Subscriptions.Leave(ctx, member)
	}
	return s.leave(ctx, member)
}

func (s *spoiled) Advance(ctx context.Context, moves ...store.Move) error {
	if s.advance == nil {
		return s.Subscriptions.Advance(ctx, moves...)
	}
	return s.advance(ctx, moves)
}

func (s *spoiled) Report(ctx context.Context, h store.Hold, message string) error {
	if s.report == nil {
		return s.Subscriptions.Report(ctx, h, message)
	}
	return s.report(ctx, h, message)
}

func (s *spoiled) Park(ctx context.Context, h store.Hold, events ...store.Parked) error {
	if s.park == nil {
		return s.Subscriptions.Park(ctx, h, events...)
	}
	return s.park(ctx, h, events)
}

func (s *spoiled) Unpark(ctx context.Context, h store.Hold, key string, at uint64) error {
	if s.unpark == nil {
		return s.Subscriptions.Unpark(ctx, h, key, at)
	}
	return s.unpark(ctx, h, key, at)
}

func (s *spoiled) Parked(ctx context.Context, q store.ParkedQuery) ([]store.Parked, error) {
	if s.parked == nil {
		return s.Subscriptions.Parked(ctx, q)
	}
	return s.parked(ctx, q)
}

func (s *spoiled) Mark(ctx context.Context, name, key string, state store.ParkedState, reason string) (int, error) {
	if s.mark == nil {
		return s.Subscriptions.Mark(ctx, name, key, state, reason)
	}
	return s.mark(ctx, name, key, state, reason)
}

func (s *spoiled) Pause(ctx context.Context, name string, paused bool) error {
	if s.pause == nil {
		return s.Subscriptions.Pause(ctx, name, paused)
	}
	return s.pause(ctx, name, paused)
}

func (s *spoiled) Reset(ctx context.Context, name string, at uint64, drop bool) error {
	if s.reset == nil {
		return s.Subscriptions.Reset(ctx, name, at, drop)
	}
	return s.reset(ctx, name, at, drop)
}

func (s *spoiled) Rename(ctx context.Context, name, to string) error {
	if s.rename == nil {
		return s.Subscriptions.Rename(ctx, name, to)
	}
	return s.rename(ctx, name, to)
}

func (s *spoiled) Delete(ctx context.Context, name string) error {
	if s.remove == nil {
		return s.Subscriptions.Delete(ctx, name)
	}
	return s.remove(ctx, name)
}

// spoil makes subscriptions with one defect.
func spoil(change func(s *spoiled, sound store.Subscriptions)) func(*broken) {
	return func(b *broken) {
		var made *spoiled
		b.subscriptions = func(sound store.Subscriptions) store.Subscriptions {
			b.once.Do(func() {
				made = &spoiled{Subscriptions: sound}
				change(made, sound)
			})
			return made
		}
	}
}

// current are the holds that would be taken for a lane, whatever a caller gives.
func current(ctx context.Context, k store.Subscriptions, h store.Hold) store.Hold {
	if s, err := k.Find(ctx, h.Subscription); err == nil && h.Lane >= 0 && h.Lane < len(s.Lanes) {
		h.Token = s.Lanes[h.Lane].Token
	}
	return h
}

// seized are subscriptions that give every lane of a name to the caller, from
// whoever has it.
func seize(ctx context.Context, k store.Subscriptions, name string) {
	if s, err := k.Find(ctx, name); err == nil && !s.Paused {
		for _, l := range s.Lanes {
			_ = k.Release(ctx, holdOf(l))
		}
	}
}

var subscriptionDefects = []defect{
	{"stores what the last opener gives", "opening a subscription", spoil(func(s *spoiled, k store.Subscriptions) {
		s.open = func(ctx context.Context, sub store.Subscription) (store.Subscription, error) {
			if _, err := k.Find(ctx, sub.Name); err == nil {
				_ = k.Delete(ctx, sub.Name)
			}
			return k.Open(ctx, sub)
		}
	})},
	{"answers an opener with what it gave", "of concurrent opens of a subscription", spoil(func(s *spoiled, k store.Subscriptions) {
		s.open = func(ctx context.Context, sub store.Subscription) (store.Subscription, error) {
			stored, err := k.Open(ctx, sub)
			stored.Settings = sub.Settings
			return stored, err
		}
	})},
	{"keeps what an opener says of errors", "what an opener says", spoil(func(s *spoiled, k store.Subscriptions) {
		s.open = func(ctx context.Context, sub store.Subscription) (store.Subscription, error) {
			stored, err := k.Open(ctx, sub)
			if err == nil {
				stored.Lanes[0].Error = sub.Lanes[0].Error
			}
			return stored, err
		}
	})},
	{"finds nothing as nothing", "a subscription that is not there", spoil(func(s *spoiled, k store.Subscriptions) {
		s.pause = func(ctx context.Context, name string, paused bool) error {
			if err := k.Pause(ctx, name, paused); !errors.Is(err, store.ErrSubscriptionNotFound) {
				return err
			}
			return nil
		}
	})},
	{"lists without regard to case", "subscriptions are listed", spoil(func(s *spoiled, k store.Subscriptions) {
		s.list = func(ctx context.Context, after string, limit int) ([]store.Subscription, error) {
			page, err := k.List(ctx, after, limit)
			slices.SortFunc(page, func(a, b store.Subscription) int {
				return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
			})
			return page, err
		}
	})},
	{"moves a lane back", "bad input about subscriptions", spoil(func(s *spoiled, k store.Subscriptions) {
		s.advance = func(ctx context.Context, moves []store.Move) error {
			for i := range moves {
				moves[i].To = max(moves[i].To, moves[i].From)
			}
			return k.Advance(ctx, moves...)
		}
	})},
	{"works on in a context that has ended", "subscriptions say that a context", spoil(func(s *spoiled, k store.Subscriptions) {
		s.report = func(ctx context.Context, h store.Hold, message string) error {
			return k.Report(context.WithoutCancel(ctx), h, message)
		}
	})},
	{"moves all lanes at once", "advancing moves a lane", spoil(func(s *spoiled, k store.Subscriptions) {
		s.advance = func(ctx context.Context, moves []store.Move) error {
			for _, m := range moves {
				other := current(ctx, k, store.Hold{Subscription: m.Subscription, Lane: 0})
				_ = k.Advance(ctx, store.Move{Hold: other, From: m.From, To: m.To})
			}
			return k.Advance(ctx, moves...)
		}
	})},
	{"refuses a move whose reply was lost", "advancing again", spoil(func(s *spoiled, k store.Subscriptions) {
		s.advance = func(ctx context.Context, moves []store.Move) error {
			if sub, err := k.Find(ctx, moves[0].Subscription); err == nil && sub.Lanes[moves[0].Lane].At == moves[0].To && moves[0].From != moves[0].To {
				return &store.FencedError{Holds: []store.Hold{moves[0].Hold}}
			}
			return k.Advance(ctx, moves...)
		}
	})},
	{"moves a lane wherever told", "advancing from where", spoil(wherever)},
	{"moves a lane wherever told", "of concurrent advances", spoil(wherever)},
	{"asks for no token", "a hold that is no lane's", spoil(func(s *spoiled, k store.Subscriptions) {
		s.report = func(ctx context.Context, h store.Hold, message string) error {
			return k.Report(ctx, current(ctx, k, h), message)
		}
	})},
	{"moves nothing if one lane is fenced", "of several moves", spoil(func(s *spoiled, k store.Subscriptions) {
		s.advance = func(ctx context.Context, moves []store.Move) error {
			for _, m := range moves {
				sub, err := k.Find(ctx, m.Subscription)
				if err != nil || sub.Lanes[m.Lane].Token != m.Token {
					return &store.FencedError{Holds: []store.Hold{m.Hold}}
				}
			}
			return k.Advance(ctx, moves...)
		}
	})},
	{"begins anew with each report", "a report is kept", spoil(func(s *spoiled, k store.Subscriptions) {
		s.report = func(ctx context.Context, h store.Hold, message string) error {
			if err := k.Report(ctx, h, ""); err != nil {
				return err
			}
			return k.Report(ctx, h, message)
		}
	})},
	{"has another epoch each time", "a member that is alone", spoil(func(s *spoiled, k store.Subscriptions) {
		s.renew = func(ctx context.Context, m store.Member) (store.Renewal, error) {
			r, err := k.Renew(ctx, m)
			r.Epoch = uuid.New()
			return r, err
		}
	})},
	{"gives the first member all", "lanes are divided", spoil(func(s *spoiled, k store.Subscriptions) {
		s.renew = func(ctx context.Context, m store.Member) (store.Renewal, error) {
			r, err := k.Renew(ctx, m)
			for i := range r.Shares {
				r.Shares[i].Lanes = max(r.Shares[i].Lanes, len(r.Lanes))
			}
			return r, err
		}
	})},
	{"counts members of everything", "members that run other", spoil(func(s *spoiled, k store.Subscriptions) {
		s.renew = func(ctx context.Context, m store.Member) (store.Renewal, error) {
			if !slices.Contains(m.Runs, "s") {
				m.Runs = append(slices.Clone(m.Runs), "s")
				r, err := k.Renew(ctx, m)
				r.Shares = r.Shares[:len(r.Shares)-1]
				return r, err
			}
			return k.Renew(ctx, m)
		}
	})},
	{"takes lanes from who no longer runs the subscription", "a member that no longer runs", spoil(func(s *spoiled, k store.Subscriptions) {
		s.renew = func(ctx context.Context, m store.Member) (store.Renewal, error) {
			if len(m.Runs) == 0 {
				_ = k.Leave(ctx, m.ID)
			}
			return k.Renew(ctx, m)
		}
	})},
	{"takes lanes from the living", "nothing is taken", spoil(takesAll)},
	{"never takes over", "lanes of a member that has ended", spoil(func(s *spoiled, k store.Subscriptions) {
		s.renew = func(ctx context.Context, m store.Member) (store.Renewal, error) {
			m.Lease = time.Hour
			return k.Renew(ctx, m)
		}
	})},
	{"gives every renewal another token", "a member that renews late", spoil(func(s *spoiled, k store.Subscriptions) {
		s.renew = func(ctx context.Context, m store.Member) (store.Renewal, error) {
			if m.Lease == time.Hour {
				_ = k.Leave(ctx, m.ID)
			}
			return k.Renew(ctx, m)
		}
	})},
	{"does not count a late member", "a renewal that is late", spoil(func(s *spoiled, k store.Subscriptions) {
		s.renew = func(ctx context.Context, m store.Member) (store.Renewal, error) {
			r, err := k.Renew(ctx, m)
			if m.Lease < time.Second && len(r.Shares) > 0 {
				r.Shares[0].Lanes = 0
			}
			return r, err
		}
	})},
	{"says nothing of a pause", "paused and missing", spoil(func(s *spoiled, k store.Subscriptions) {
		s.renew = func(ctx context.Context, m store.Member) (store.Renewal, error) {
			r, err := k.Renew(ctx, m)
			for i := range r.Shares {
				r.Shares[i].Paused = false
			}
			return r, err
		}
	})},
	{"releases whatever the token", "released lanes are free", spoil(func(s *spoiled, k store.Subscriptions) {
		s.release = func(ctx context.Context, holds []store.Hold) error {
			given := slices.Clone(holds)
			for i := range given {
				given[i] = current(ctx, k, given[i])
			}
			return k.Release(ctx, given...)
		}
	})},
	{"keeps the lanes of who has left", "who leaves", spoil(func(s *spoiled, _ store.Subscriptions) {
		s.leave = func(context.Context, uuid.UUID) error { return nil }
	})},
	{"gives lanes to several", "no lane has two owners", spoil(func(s *spoiled, k store.Subscriptions) {
		s.renew = func(ctx context.Context, m store.Member) (store.Renewal, error) {
			r, err := k.Renew(ctx, m)
			if sub, err := k.Find(ctx, "s"); err == nil && len(r.Lanes) == 0 {
				r.Lanes = append(r.Lanes, sub.Lanes[0])
			}
			return r, err
		}
	})},
	{"forgets positions of parked events", "parked events are kept", spoil(func(s *spoiled, k store.Subscriptions) {
		s.park = func(ctx context.Context, h store.Hold, events []store.Parked) error {
			given := slices.Clone(events)
			for i := range given {
				given[i].Position = 0
			}
			return k.Park(ctx, h, given...)
		}
	})},
	{"keeps texts whole", "texts of parked events", spoil(func(s *spoiled, k store.Subscriptions) {
		s.parked = func(ctx context.Context, q store.ParkedQuery) ([]store.Parked, error) {
			page, err := k.Parked(ctx, q)
			for i := range page {
				page[i].Error += "…"
			}
			return page, err
		}
	})},
	{"keeps the first of what is parked twice", "parking again", spoil(func(s *spoiled, k store.Subscriptions) {
		s.park = func(ctx context.Context, h store.Hold, events []store.Parked) error {
			there, err := k.Parked(ctx, store.ParkedQuery{Subscription: h.Subscription, Lane: -1, Limit: 100})
			if err != nil {
				return err
			}
			return k.Park(ctx, h, slices.DeleteFunc(slices.Clone(events), func(p store.Parked) bool {
				return slices.ContainsFunc(there, func(q store.Parked) bool { return q.Key == p.Key && q.At == p.At })
			})...)
		}
	})},
	{"orders places as texts", "parked events are ordered", spoil(func(s *spoiled, k store.Subscriptions) {
		s.parked = func(ctx context.Context, q store.ParkedQuery) ([]store.Parked, error) {
			page, err := k.Parked(ctx, q)
			slices.SortFunc(page, func(a, b store.Parked) int { return strings.Compare(a.Key+a.Stream, b.Key+b.Stream) })
			return page, err
		}
	})},
	{"selects an empty key as all", "parked events are selected", spoil(func(s *spoiled, k store.Subscriptions) {
		s.parked = func(ctx context.Context, q store.ParkedQuery) ([]store.Parked, error) {
			q.HasKey = q.Key != ""
			return k.Parked(ctx, q)
		}
	})},
	{"unparks the whole key", "unparking removes one", spoil(func(s *spoiled, k store.Subscriptions) {
		s.unpark = func(ctx context.Context, h store.Hold, key string, at uint64) error {
			for place := range uint64(5) {
				_ = k.Unpark(ctx, h, key, place)
			}
			return k.Unpark(ctx, h, key, at)
		}
	})},
	{"counts what it marked as one", "marking changes", spoil(func(s *spoiled, k store.Subscriptions) {
		s.mark = func(ctx context.Context, name, key string, state store.ParkedState, reason string) (int, error) {
			n, err := k.Mark(ctx, name, key, state, reason)
			return min(n, 1), err
		}
	})},
	{"parks a page of many events", "many events are parked", spoil(func(s *spoiled, k store.Subscriptions) {
		s.park = func(ctx context.Context, h store.Hold, events []store.Parked) error {
			return k.Park(ctx, h, events[:min(len(events), 1000)]...)
		}
	})},
	{"leaves lanes to owners when it pauses", "pausing a subscription", spoil(func(s *spoiled, _ store.Subscriptions) {
		s.pause = func(context.Context, string, bool) error { return nil }
	})},
	{"leaves lanes to owners when it resumes", "resuming a subscription", spoil(func(s *spoiled, _ store.Subscriptions) {
		s.pause = func(context.Context, string, bool) error { return nil }
	})},
	{"leaves lanes to owners when it resets", "resetting a subscription takes", spoil(func(s *spoiled, _ store.Subscriptions) {
		s.reset = func(context.Context, string, uint64, bool) error { return nil }
	})},
	{"leaves lanes to owners when it renames", "renaming a subscription takes", spoil(func(s *spoiled, _ store.Subscriptions) {
		s.rename = func(context.Context, string, string) error { return nil }
	})},
	{"leaves lanes to owners when it deletes", "deleting a subscription takes", spoil(func(s *spoiled, _ store.Subscriptions) {
		s.remove = func(context.Context, string) error { return nil }
	})},
	{"gives a lane that was taken back to the next when it resumes", "after resuming", spoil(func(s *spoiled, k store.Subscriptions) {
		s.pause = func(ctx context.Context, name string, paused bool) error {
			return errors.Join(releaseAll(ctx, k, name), k.Pause(ctx, name, paused))
		}
	})},
	{"gives a lane that was taken back to the next when it resets", "after resetting", spoil(func(s *spoiled, k store.Subscriptions) {
		s.reset = func(ctx context.Context, name string, at uint64, drop bool) error {
			return errors.Join(releaseAll(ctx, k, name), k.Reset(ctx, name, at, drop))
		}
	})},
	{"gives a lane that was taken back to the next when it renames", "after renaming", spoil(func(s *spoiled, k store.Subscriptions) {
		s.rename = func(ctx context.Context, name, to string) error {
			return errors.Join(releaseAll(ctx, k, name), k.Rename(ctx, name, to))
		}
	})},
	{"never gives a lane again that was taken back", "lanes that were taken from an owner", spoil(func(s *spoiled, k store.Subscriptions) {
		first := uuid.Nil
		s.renew = func(ctx context.Context, m store.Member) (store.Renewal, error) {
			if first == uuid.Nil {
				first = m.ID
			}
			r, err := k.Renew(ctx, m)
			if first != m.ID {
				r.Lanes = nil
			}
			return r, err
		}
	})},
	{"begins anew when it resumes", "a paused subscription stays", spoil(func(s *spoiled, k store.Subscriptions) {
		s.pause = func(ctx context.Context, name string, paused bool) error {
			if !paused {
				_ = k.Reset(ctx, name, 0, false)
			}
			return k.Pause(ctx, name, paused)
		}
	})},
	{"never moves back", "resetting moves", spoil(func(s *spoiled, k store.Subscriptions) {
		s.reset = func(ctx context.Context, name string, at uint64, drop bool) error {
			if sub, err := k.Find(ctx, name); err == nil {
				at = max(at, sub.Lanes[0].At)
			}
			return k.Reset(ctx, name, at, drop)
		}
	})},
	{"renames onto another", "renaming keeps", spoil(func(s *spoiled, k store.Subscriptions) {
		s.rename = func(ctx context.Context, name, to string) error {
			if err := k.Rename(ctx, name, to); !errors.Is(err, store.ErrSubscriptionExists) || name == to {
				return err
			}
			_ = k.Delete(ctx, to)
			return k.Rename(ctx, name, to)
		}
	})},
	{"keeps what is parked of a deleted one", "deleting a subscription while", spoil(func(s *spoiled, k store.Subscriptions) {
		var kept []store.Parked
		s.remove = func(ctx context.Context, name string) error {
			if page, err := k.Parked(ctx, store.ParkedQuery{Subscription: name, Lane: -1, Limit: 10}); err == nil {
				kept = page
			}
			return k.Delete(ctx, name)
		}
		s.parked = func(ctx context.Context, q store.ParkedQuery) ([]store.Parked, error) {
			page, err := k.Parked(ctx, q)
			return append(page, kept...), err
		}
	})},
	{"begins with the same tokens again", "a hold of a deleted subscription is void", spoil(func(s *spoiled, k store.Subscriptions) {
		before := make(map[string]uint64) // the tokens at which subscriptions began
		shift := make(map[string]uint64)
		s.open = func(ctx context.Context, sub store.Subscription) (store.Subscription, error) {
			stored, err := k.Open(ctx, sub)
			if err == nil {
				first, again := before[sub.Name]
				if !again {
					before[sub.Name] = stored.Lanes[0].Token
				} else {
					shift[sub.Name] = stored.Lanes[0].Token - first
				}
			}
			return stored, err
		}
		s.renew = func(ctx context.Context, m store.Member) (store.Renewal, error) {
			r, err := k.Renew(ctx, m)
			for i := range r.Lanes {
				r.Lanes[i].Token -= shift[r.Lanes[i].Subscription]
			}
			return r, err
		}
	})},
	{"gives lanes of paused subscriptions", "operators and owners", spoil(func(s *spoiled, k store.Subscriptions) {
		s.find = func(ctx context.Context, name string) (store.Subscription, error) {
			sub, err := k.Find(ctx, name)
			if err == nil && sub.Paused {
				sub.Lanes[0].Owner = uuid.New()
			}
			return sub, err
		}
	})},
	{"forgets checkpoints", "case 50", spoil(func(s *spoiled, _ store.Subscriptions) {
		s.advance = func(context.Context, []store.Move) error { return nil }
	})},
}

func releaseAll(ctx context.Context, k store.Subscriptions, name string) error {
	sub, err := k.Find(ctx, name)
	if err != nil {
		return nil //nolint:nilerr // what follows says it
	}
	for _, l := range sub.Lanes {
		if l.Owner != uuid.Nil {
			err = errors.Join(err, k.Release(ctx, store.Hold{Subscription: name, Lane: l.Lane, Token: l.Token}))
		}
	}
	return err
}

func wherever(s *spoiled, k store.Subscriptions) {
	s.advance = func(ctx context.Context, moves []store.Move) error {
		for _, m := range moves {
			if err := k.Reset(ctx, m.Subscription, m.To, false); err != nil {
				return err
			}
		}
		return nil
	}
}

func takesAll(s *spoiled, k store.Subscriptions) {
	s.renew = func(ctx context.Context, m store.Member) (store.Renewal, error) {
		for _, name := range m.Runs {
			seize(ctx, k, name)
		}
		return k.Renew(ctx, m)
	}
}
