package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/esgen/esgen/internal/printable"
)

// Renew keeps the member alive and gives it what it is due.
func (l *Ledger) Renew(ctx context.Context, m Member) (Renewal, error) {
	if err := m.Check(); err != nil {
		return Renewal{}, err
	}
	op := "renew member " + m.ID.String()
	if err := l.begin(ctx, op); err != nil {
		return Renewal{}, err
	}
	defer l.mu.Unlock()
	now := l.now()
	m.Runs = slices.Clone(m.Runs)
	l.members[m.ID] = &member{Member: m, expires: now.Add(m.Lease)}
	l.forget(now)

	r := Renewal{Epoch: l.epoch}
	changed := map[string]*entry{}
	for _, name := range m.Runs {
		share := Share{Subscription: name}
		e := l.entries[name]
		switch {
		case e == nil:
			share.Missing = true
		case e.s.Paused:
			share.Paused = true
		default:
			share.Lanes = l.due(e, m.ID, now)
			if e = l.take(e, m.ID, share.Lanes, now); e != nil {
				changed[name] = e
			}
		}
		r.Shares = append(r.Shares, share)
	}
	if len(changed) > 0 {
		if err := l.change(op, changed); err != nil {
			return Renewal{}, err
		}
	}
	for _, e := range l.entries {
		for _, lane := range e.s.Lanes {
			if lane.Owner == m.ID {
				l.label(&lane)
				r.Lanes = append(r.Lanes, lane)
			}
		}
	}
	slices.SortFunc(r.Lanes, byLane)
	return r, nil
}

// due is how many lanes a member is to have.
func (l *Ledger) due(e *entry, id uuid.UUID, now time.Time) int {
	var living []*member
	for _, m := range l.members {
		if m.expires.After(now) && slices.Contains(m.Runs, e.s.Name) {
			living = append(living, m)
		}
	}
	slices.SortFunc(living, byID)
	i := slices.IndexFunc(living, func(m *member) bool { return m.ID == id })
	lanes := len(e.s.Lanes)
	due := lanes / len(living)
	if i < lanes%len(living) {
		due++
	}
	return due
}

// take returns e with lanes given to the member that nobody living has, until it
// has what it is due, or nil if there is nothing to give.
func (l *Ledger) take(e *entry, id uuid.UUID, due int, now time.Time) *entry {
	for _, lane := range e.s.Lanes {
		if lane.Owner == id {
			due--
		}
	}
	var taken *entry
	for i, lane := range e.s.Lanes {
		if due <= 0 {
			break
		}
		if m := l.members[lane.Owner]; m != nil && m.expires.After(now) {
			continue
		}
		if f := e.former[i]; f.member != id && f.until.After(now) {
			continue
		}
		if taken == nil {
			taken = e.draft()
		}
		t := &taken.s.Lanes[i]
		t.free()
		delete(taken.former, i)
		t.Token++
		t.Owner = id
		due--
	}
	return taken
}

// forget drops members that are long gone and own nothing, so that they do not
// add up.
func (l *Ledger) forget(now time.Time) {
	for id, m := range l.members {
		if m.expires.Add(memberKept).Before(now) && !l.owns(id) {
			delete(l.members, id)
		}
	}
}

const memberKept = time.Hour

func (l *Ledger) owns(id uuid.UUID) bool {
	for _, e := range l.entries {
		if slices.ContainsFunc(e.s.Lanes, func(lane Lane) bool { return lane.Owner == id }) {
			return true
		}
	}
	return false
}

// held returns the lane if h is its.
func (l *Ledger) held(all map[string]*entry, h Hold) *Lane {
	e := all[h.Subscription]
	if e == nil {
		e = l.entries[h.Subscription]
	}
	if e == nil || h.Lane >= len(e.s.Lanes) {
		return nil
	}
	if lane := &e.s.Lanes[h.Lane]; lane.Owner != uuid.Nil && lane.Token == h.Token {
		return lane
	}
	return nil
}

// lanes changes the lanes that are held, all at once.
func (l *Ledger) lanes(op string, holds []Hold, f func(i int, lane *Lane) bool) (fenced []Hold, _ error) {
	drafts := map[string]*entry{}
	changed := map[string]*entry{}
	for i, h := range holds {
		if e := l.entries[h.Subscription]; e != nil && drafts[h.Subscription] == nil {
			drafts[h.Subscription] = e.draft()
		}
		lane := l.held(drafts, h)
		if lane == nil {
			fenced = append(fenced, h)
			continue
		}
		before := *lane
		if !f(i, lane) {
			fenced = append(fenced, h)
		} else if before != *lane {
			changed[h.Subscription] = drafts[h.Subscription]
		}
	}
	if len(changed) == 0 {
		return fenced, nil
	}
	return fenced, l.change(op, changed)
}

// Release gives lanes up.
func (l *Ledger) Release(ctx context.Context, holds ...Hold) error {
	for _, h := range holds {
		if err := h.Check(); err != nil {
			return err
		}
	}
	op := fmt.Sprintf("release %d lanes", len(holds))
	if err := l.begin(ctx, op); err != nil {
		return err
	}
	defer l.mu.Unlock()
	_, err := l.lanes(op, holds, func(_ int, lane *Lane) bool {
		lane.free()
		return true
	})
	return err
}

// Leave ends a membership.
func (l *Ledger) Leave(ctx context.Context, id uuid.UUID) error {
	if err := CheckMember(id); err != nil {
		return err
	}
	op := "leave as member " + id.String()
	if err := l.begin(ctx, op); err != nil {
		return err
	}
	defer l.mu.Unlock()
	changed := map[string]*entry{}
	for name, e := range l.entries {
		for i := range e.s.Lanes {
			if e.s.Lanes[i].Owner != id && e.former[i].member != id {
				continue
			}
			if changed[name] == nil {
				changed[name] = e.draft()
			}
			if e.former[i].member == id {
				delete(changed[name].former, i)
			}
			if e.s.Lanes[i].Owner == id {
				changed[name].s.Lanes[i].free()
			}
		}
	}
	if len(changed) > 0 {
		if err := l.change(op, changed); err != nil {
			return err
		}
	}
	delete(l.members, id)
	return nil
}

// Advance moves checkpoints.
func (l *Ledger) Advance(ctx context.Context, moves ...Move) error {
	if err := CheckMoves(moves); err != nil {
		return err
	}
	op := fmt.Sprintf("advance %d checkpoints", len(moves))
	if len(moves) == 1 {
		op = "advance subscription " + printable.Name(moves[0].Subscription)
	}
	if err := l.begin(ctx, op); err != nil {
		return err
	}
	defer l.mu.Unlock()
	now := l.now()
	holds := make([]Hold, len(moves))
	for i, m := range moves {
		holds[i] = m.Hold
	}
	fenced, err := l.lanes(op, holds, func(i int, lane *Lane) bool {
		switch lane.At {
		case moves[i].To: // the reply to an earlier call was lost
			return true
		case moves[i].From:
			lane.At, lane.Changed = moves[i].To, now
			return true
		}
		return false
	})
	if err == nil && fenced != nil {
		return &FencedError{Holds: fenced}
	}
	return err
}

// Report stores what the owner could not do.
func (l *Ledger) Report(ctx context.Context, h Hold, message string) error {
	if err := h.Check(); err != nil {
		return err
	}
	op := "report on subscription " + printable.Name(h.Subscription)
	if err := l.begin(ctx, op); err != nil {
		return err
	}
	defer l.mu.Unlock()
	message = CutError(message)
	fenced, err := l.lanes(op, []Hold{h}, func(_ int, lane *Lane) bool {
		switch {
		case message == "":
			lane.ErrorSince = time.Time{}
		case lane.Error == "":
			lane.ErrorSince = l.now()
		}
		lane.Error = message
		return true
	})
	if err == nil && fenced != nil {
		return &FencedError{Holds: fenced}
	}
	return err
}

func byLane(a, b Lane) int {
	switch {
	case a.Subscription != b.Subscription && a.Subscription < b.Subscription:
		return -1
	case a.Subscription != b.Subscription:
		return 1
	}
	return a.Lane - b.Lane
}
