package store

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/esgen/esgen/internal/printable"
)

// Kept is all that a [Ledger] keeps. Its names in JSON never change.
type Kept struct {
	Epoch uuid.UUID `json:"epoch"`
	// Opened counts the subscriptions that were ever stored.
	Opened uint64 `json:"opened,omitzero"`
	// Subscriptions are in the order of their names.
	Subscriptions []Subscription `json:"subscriptions"`
	// Parked are in the order of subscription, key and place.
	Parked []Parked `json:"parked,omitempty"`
	// Members own lanes. A process that begins anew has none: those of the one
	// before it are gone.
	Members []KeptMember `json:"-"`
}

// KeptMember is a member of a [Ledger].
type KeptMember struct {
	Member
	Expires time.Time
}

// Ledger keeps [Subscriptions] in memory, for stores that have no database to
// keep them in. One process uses it: its members are not part of [Kept].
type Ledger struct {
	now   func() time.Time
	save  func(Kept) error
	epoch uuid.UUID

	mu      sync.Mutex
	opened  uint64
	entries map[string]*entry
	members map[uuid.UUID]*member
}

var _ Subscriptions = (*Ledger)(nil)

// entry is a subscription. Its s.Parked is counted when it is given away.
type entry struct {
	s      Subscription
	parked []Parked // in the order of key and place
	// former tells from whom lanes were taken back, by their numbers. Members are
	// not kept, so this is not, either.
	former map[int]former
}

// former is a member that may not know yet that it has lost a lane, and goes on
// working until its membership, as it was then, ends.
type former struct {
	member uuid.UUID
	until  time.Time
}

type member struct {
	Member
	expires time.Time
}

// Kept returns all that l keeps.
func (l *Ledger) Kept() Kept {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := l.kept(l.entries)
	for _, m := range l.members {
		k.Members = append(k.Members, KeptMember{Member: m.Member, Expires: m.expires})
	}
	return k
}

// NewLedger returns a ledger of what is kept, which belongs to it from now on.
// Without an epoch it gets one. now is the store's clock.
//
// Each change but a mere renewal first calls save, unless that is nil, with all
// that is to be kept, which save does not hold on to. If it returns an error,
// nothing has changed, and the error is the call's. One save runs at a time.
func NewLedger(kept Kept, now func() time.Time, save func(Kept) error) *Ledger {
	l := &Ledger{
		now: func() time.Time { return now().UTC().Truncate(time.Microsecond) }, save: save, epoch: kept.Epoch, opened: kept.Opened,
		entries: make(map[string]*entry), members: make(map[uuid.UUID]*member),
	}
	if l.epoch == uuid.Nil {
		l.epoch = uuid.New()
	}
	for _, m := range kept.Members {
		l.members[m.ID] = &member{Member: m.Member, expires: m.Expires}
	}
	for _, s := range kept.Subscriptions {
		e := &entry{s: s}
		for i := range e.s.Lanes {
			if lane := &e.s.Lanes[i]; l.members[lane.Owner] == nil {
				lane.free()
			}
		}
		l.entries[s.Name] = e
	}
	for _, p := range kept.Parked {
		if e := l.entries[p.Subscription]; e != nil {
			e.parked = append(e.parked, p)
		}
	}
	for _, e := range l.entries {
		slices.SortFunc(e.parked, byPlace)
	}
	return l
}

// free takes the lane from its owner, who learns it by the token.
func (l *Lane) free() {
	if l.Owner == uuid.Nil {
		return
	}
	l.Token++
	l.Owner, l.Label, l.Expires = uuid.Nil, "", time.Time{}
	l.Error, l.ErrorSince = "", time.Time{}
}

// change replaces entries, nil ones by nothing, once that is saved.
func (l *Ledger) change(op string, changed map[string]*entry) error {
	if l.save != nil {
		all := maps.Clone(l.entries)
		apply(all, changed)
		if err := l.save(l.kept(all)); err != nil {
			return fmt.Errorf("%s: save: %w", op, err)
		}
	}
	apply(l.entries, changed)
	return nil
}

func apply(all, changed map[string]*entry) {
	for name, e := range changed {
		if all[name] = e; e == nil {
			delete(all, name)
		}
	}
}

func (l *Ledger) kept(all map[string]*entry) Kept {
	k := Kept{Epoch: l.epoch, Opened: l.opened}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		k.Subscriptions = append(k.Subscriptions, all[name].s.clone())
		k.Parked = append(k.Parked, all[name].parked...)
	}
	return k
}

func (s Subscription) clone() Subscription {
	s.Lanes = slices.Clone(s.Lanes)
	return s
}

// draft is a copy of e to be changed; what is parked is shared until [entry.own].
func (e *entry) draft() *entry {
	return &entry{s: e.s.clone(), parked: e.parked, former: maps.Clone(e.former)}
}

// begin locks, unless ctx has ended.
func (l *Ledger) begin(ctx context.Context, op string) error {
	l.mu.Lock()
	if err := Ended(ctx, op); err != nil {
		l.mu.Unlock()
		return err
	}
	return nil
}

// firstToken times its number is where the tokens of a subscription begin: those of an
// earlier one of its name, which was deleted, have not come so far.
const firstToken = 1_000_000_000

// Open returns what is stored under the name, or stores s.
func (l *Ledger) Open(ctx context.Context, s Subscription) (Subscription, error) {
	if err := s.Check(); err != nil {
		return Subscription{}, err
	}
	op := "open subscription " + printable.Name(s.Name)
	if err := l.begin(ctx, op); err != nil {
		return Subscription{}, err
	}
	defer l.mu.Unlock()
	if e := l.entries[s.Name]; e != nil {
		return l.show(e), nil
	}
	now := l.now()
	l.opened++
	e := &entry{s: Subscription{Name: s.Name, Settings: s.Settings, Created: now}}
	for i, lane := range s.Lanes {
		e.s.Lanes = append(e.s.Lanes, Lane{Subscription: s.Name, Lane: i, At: lane.At, Token: l.opened * firstToken, Changed: now})
	}
	if err := l.change(op, map[string]*entry{s.Name: e}); err != nil {
		l.opened--
		return Subscription{}, err
	}
	return l.show(e), nil
}

// show returns the subscription with what is told of its owners.
func (l *Ledger) show(e *entry) Subscription {
	s := e.s.clone()
	for i := range s.Lanes {
		l.label(&s.Lanes[i])
	}
	s.Parked = 0
	for _, p := range e.parked {
		if p.State.waits() {
			s.Parked++
		}
	}
	return s
}

func (l *Ledger) label(lane *Lane) {
	if m := l.members[lane.Owner]; m != nil {
		lane.Label, lane.Expires = m.Label, m.expires
	}
}

// Find returns the subscription.
func (l *Ledger) Find(ctx context.Context, name string) (Subscription, error) {
	if err := CheckSubscription(name); err != nil {
		return Subscription{}, err
	}
	if err := l.begin(ctx, "find subscription "+printable.Name(name)); err != nil {
		return Subscription{}, err
	}
	defer l.mu.Unlock()
	e := l.entries[name]
	if e == nil {
		return Subscription{}, &SubscriptionNotFoundError{Name: name}
	}
	return l.show(e), nil
}

// List returns a page in the order of names.
func (l *Ledger) List(ctx context.Context, after string, limit int) ([]Subscription, error) {
	if err := CheckPage(after, limit); err != nil {
		return nil, err
	}
	if err := l.begin(ctx, "list subscriptions"); err != nil {
		return nil, err
	}
	defer l.mu.Unlock()
	var page []Subscription
	for _, name := range slices.Sorted(maps.Keys(l.entries)) {
		if len(page) < limit && name > after {
			page = append(page, l.show(l.entries[name]))
		}
	}
	return page, nil
}

// edit changes one subscription.
func (l *Ledger) edit(ctx context.Context, op, name string, f func(*entry)) error {
	op += " subscription " + printable.Name(name)
	if err := l.begin(ctx, op); err != nil {
		return err
	}
	defer l.mu.Unlock()
	e := l.entries[name]
	if e == nil {
		return &SubscriptionNotFoundError{Name: name}
	}
	e = e.draft()
	f(e)
	return l.change(op, map[string]*entry{name: e})
}

// takeBack takes all lanes from their owners.
func (l *Ledger) takeBack(e *entry) {
	for i := range e.s.Lanes {
		lane := &e.s.Lanes[i]
		if m := l.members[lane.Owner]; m != nil {
			if e.former == nil {
				e.former = map[int]former{}
			}
			e.former[i] = former{m.ID, m.expires}
		}
		lane.free()
	}
}

// Pause takes all lanes from their owners.
func (l *Ledger) Pause(ctx context.Context, name string, paused bool) error {
	if err := CheckSubscription(name); err != nil {
		return err
	}
	return l.edit(ctx, "pause", name, func(e *entry) {
		e.s.Paused = paused
		l.takeBack(e)
	})
}

// Reset puts all lanes at a place.
func (l *Ledger) Reset(ctx context.Context, name string, at uint64, drop bool) error {
	if err := CheckSubscription(name); err != nil {
		return err
	}
	if err := CheckPlace(name, at); err != nil {
		return err
	}
	return l.edit(ctx, "reset", name, func(e *entry) {
		l.takeBack(e)
		for i := range e.s.Lanes {
			e.s.Lanes[i].At, e.s.Lanes[i].Changed = at, l.now()
		}
		if drop {
			e.parked = nil
		}
	})
}

// Rename gives the subscription another name.
func (l *Ledger) Rename(ctx context.Context, name, to string) error {
	if err := cmp.Or(CheckSubscription(name), CheckSubscription(to)); err != nil {
		return err
	}
	op := "rename subscription " + printable.Name(name)
	if err := l.begin(ctx, op); err != nil {
		return err
	}
	defer l.mu.Unlock()
	e := l.entries[name]
	switch {
	case e == nil:
		return &SubscriptionNotFoundError{Name: name}
	case l.entries[to] != nil:
		return &SubscriptionExistsError{Name: to}
	}
	e = e.draft()
	l.takeBack(e)
	e.s.Name, e.parked = to, slices.Clone(e.parked)
	for i := range e.s.Lanes {
		e.s.Lanes[i].Subscription = to
	}
	for i := range e.parked {
		e.parked[i].Subscription = to
	}
	return l.change(op, map[string]*entry{name: nil, to: e})
}

// Delete removes the subscription.
func (l *Ledger) Delete(ctx context.Context, name string) error {
	if err := CheckSubscription(name); err != nil {
		return err
	}
	op := "delete subscription " + printable.Name(name)
	if err := l.begin(ctx, op); err != nil {
		return err
	}
	defer l.mu.Unlock()
	if l.entries[name] == nil {
		return &SubscriptionNotFoundError{Name: name}
	}
	return l.change(op, map[string]*entry{name: nil})
}

func byPlace(a, b Parked) int {
	return cmp.Or(strings.Compare(a.Key, b.Key), cmp.Compare(a.At, b.At))
}

func byID(a, b *member) int { return bytes.Compare(a.ID[:], b.ID[:]) }
