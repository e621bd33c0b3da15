package postgres

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/esgen/esgen/runtime/store"
)

// Renew keeps the member alive and gives it what it is due, in one round trip.
func (k subscriptions) Renew(ctx context.Context, m store.Member) (store.Renewal, error) {
	if err := m.Check(); err != nil {
		return store.Renewal{}, err
	}
	runs := m.Runs
	if runs == nil {
		runs = []string{}
	}
	var r renewed
	err := k.s.call(ctx, "renew member "+m.ID.String(), func(ctx context.Context, conn *pgx.Conn) error {
		r = renewed{}
		return conn.QueryRow(ctx, k.s.sql.memberRenew, encodeUUID(m.ID), m.Label, m.Lease.Microseconds(), runs).Scan(r.fields()...)
	})
	if err != nil {
		return store.Renewal{}, err
	}
	return r.renewal(m)
}

// renewed is what member_renew.sql returns.
type renewed struct {
	epoch         pgtype.UUID
	expires       pgtype.Timestamptz
	due           []pgtype.Int4
	paused        []bool
	subscriptions []string
	lanes         []int32
	at, tokens    []int64
	errors        []pgtype.Text
	since         []pgtype.Timestamptz
	changed       []pgtype.Timestamptz
}

func (r *renewed) fields() []any {
	return []any{
		&r.epoch, &r.expires, &r.due, &r.paused, &r.subscriptions, &r.lanes, &r.at, &r.tokens, &r.errors, &r.since, &r.changed,
	}
}

func (r *renewed) renewal(m store.Member) (store.Renewal, error) {
	n := len(r.subscriptions)
	if len(r.due) != len(m.Runs) || len(r.paused) != len(m.Runs) || len(r.lanes) != n || len(r.at) != n ||
		len(r.tokens) != n || len(r.errors) != n || len(r.since) != n || len(r.changed) != n {
		return store.Renewal{}, fmt.Errorf("renew member %s: the answer is %d shares of %d and lanes of different lengths", m.ID, len(r.due), len(m.Runs))
	}
	answer := store.Renewal{Epoch: r.epoch.Bytes}
	for i, name := range m.Runs {
		answer.Shares = append(answer.Shares, store.Share{
			Subscription: name, Lanes: int(r.due[i].Int32), Paused: r.paused[i], Missing: !r.due[i].Valid,
		})
	}
	for i, name := range r.subscriptions {
		answer.Lanes = append(answer.Lanes, store.Lane{
			Subscription: name, Lane: int(r.lanes[i]), At: uint64(r.at[i]), Token: uint64(r.tokens[i]),
			Owner: m.ID, Label: m.Label, Expires: utc(r.expires),
			Error: r.errors[i].String, ErrorSince: utc(r.since[i]), Changed: utc(r.changed[i]),
		})
	}
	return answer, nil
}

// Leave ends a membership.
func (k subscriptions) Leave(ctx context.Context, member uuid.UUID) error {
	if err := store.CheckMember(member); err != nil {
		return err
	}
	return k.s.call(ctx, "leave as member "+member.String(), func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, k.s.sql.memberLeave, encodeUUID(member))
		return err
	})
}
