package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
)

// memberKept is how long a member that is gone and owns nothing is remembered.
const memberKept = time.Hour

// Renew keeps the member alive and gives it what it is due.
func (k subscriptions) Renew(ctx context.Context, m store.Member) (store.Renewal, error) {
	if err := m.Check(); err != nil {
		return store.Renewal{}, err
	}
	op := "renew member " + m.ID.String()
	runs, err := json.Marshal(m.Runs)
	if err != nil {
		return store.Renewal{}, opError(op, err)
	}
	if m.Runs == nil {
		runs = []byte("[]")
	}
	var r store.Renewal
	err = k.write(ctx, op, func(t *tx, now int64) error { //nolint:contextcheck // a flush is no caller's to interrupt
		r = store.Renewal{}
		expires := now + m.Lease.Microseconds()
		t.exec(saveMemberSQL, m.ID[:], m.Label, expires, string(runs))
		t.exec(forgetMembersSQL, now-memberKept.Microseconds())
		for _, name := range m.Runs {
			r.Shares = append(r.Shares, t.share(name, m.ID, now))
		}
		var epoch []byte
		t.row(epochSQL, nil, &epoch)
		copy(r.Epoch[:], epoch)
		t.each(memberLanesSQL, []any{m.ID[:]}, func(rows *sql.Rows) error {
			l := store.Lane{Owner: m.ID, Label: m.Label, Expires: instant(expires)}
			var at, token, changed int64
			var problem sql.NullString
			var since sql.NullInt64
			err := rows.Scan(&l.Subscription, &l.Lane, &at, &token, &problem, &since, &changed)
			l.At, l.Token, l.Error = uint64(at), uint64(token), problem.String
			l.ErrorSince, l.Changed = perhaps(since), instant(changed)
			r.Lanes = append(r.Lanes, l)
			return err
		})
		slices.SortStableFunc(r.Lanes, func(a, b store.Lane) int {
			return cmp.Or(strings.Compare(a.Subscription, b.Subscription), cmp.Compare(a.Lane, b.Lane))
		})
		return nil
	})
	if err != nil {
		return store.Renewal{}, err
	}
	return r, nil
}

// share is what is due to a member of a subscription, and gives it to it as far as
// nobody living has it.
func (t *tx) share(name string, member uuid.UUID, now int64) store.Share {
	s := store.Share{Subscription: name}
	id, paused, found := t.subscription(name)
	if s.Missing, s.Paused = !found, paused; !found || paused {
		return s
	}
	var lanes, have, living, before int
	if !t.row(shareSQL, []any{id, name, member[:], now}, &lanes, &have, &living, &before) {
		return s
	}
	s.Lanes = lanes / living
	if before < lanes%living {
		s.Lanes++
	}
	if s.Lanes > have {
		t.exec(takeLanesSQL, id, member[:], now, s.Lanes-have)
	}
	return s
}

// Leave ends a membership.
func (k subscriptions) Leave(ctx context.Context, member uuid.UUID) error {
	if err := store.CheckMember(member); err != nil {
		return err
	}
	return k.write(ctx, "leave as member "+member.String(), func(t *tx, _ int64) error { //nolint:contextcheck // a flush is no caller's to interrupt
		t.exec(leaveLanesSQL, member[:])
		t.exec(removeMemberSQL, member[:])
		return nil
	})
}

// perhaps is the zero time for NULL.
func perhaps(micros sql.NullInt64) time.Time {
	if !micros.Valid {
		return time.Time{}
	}
	return instant(micros.Int64)
}
