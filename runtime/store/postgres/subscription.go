package postgres

import (
	"cmp"
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/esgen/esgen/internal/printable"
	"github.com/esgen/esgen/runtime/store"
)

// Subscriptions returns where subscriptions are kept: in the store's schema. All
// times are by the server's clock. Calls of several lanes and events are one round
// trip.
func (s *Store) Subscriptions() store.Subscriptions { return subscriptions{s} }

type subscriptions struct{ s *Store }

// Open returns what is stored under the name, or stores sub.
func (k subscriptions) Open(ctx context.Context, sub store.Subscription) (store.Subscription, error) {
	if err := sub.Check(); err != nil {
		return store.Subscription{}, err
	}
	places := make([]int64, len(sub.Lanes))
	for i, l := range sub.Lanes {
		places[i] = int64(l.At)
	}
	var stored []store.Subscription
	err := k.call(ctx, "open", sub.Name, func(ctx context.Context, conn *pgx.Conn) (err error) {
		for try := 0; ; try++ {
			stored, err = scanSubscriptions(ctx, conn, k.s.sql.subscriptionFind, sub.Name)
			if err != nil || len(stored) > 0 {
				return err
			}
			if try == maxAttempts {
				return errUnsteady
			}
			// Of concurrent calls one stores its own; then the name is looked up again.
			if _, err := conn.Exec(ctx, k.s.sql.subscriptionOpen, sub.Name, sub.Settings, places); err != nil {
				return err
			}
		}
	})
	if err != nil {
		return store.Subscription{}, err
	}
	return stored[0], nil
}

var errUnsteady = errors.New("others delete and open the subscription again and again")

// Find returns the subscription.
func (k subscriptions) Find(ctx context.Context, name string) (store.Subscription, error) {
	if err := store.CheckSubscription(name); err != nil {
		return store.Subscription{}, err
	}
	var stored []store.Subscription
	err := k.call(ctx, "find", name, func(ctx context.Context, conn *pgx.Conn) (err error) {
		stored, err = scanSubscriptions(ctx, conn, k.s.sql.subscriptionFind, name)
		return err
	})
	switch {
	case err != nil:
		return store.Subscription{}, err
	case len(stored) == 0:
		return store.Subscription{}, &store.SubscriptionNotFoundError{Name: name}
	}
	return stored[0], nil
}

// List returns a page in the order of names.
func (k subscriptions) List(ctx context.Context, after string, limit int) ([]store.Subscription, error) {
	if err := store.CheckPage(after, limit); err != nil {
		return nil, err
	}
	var page []store.Subscription
	err := k.s.call(ctx, "list subscriptions", func(ctx context.Context, conn *pgx.Conn) (err error) {
		page, err = scanSubscriptions(ctx, conn, k.s.sql.subscriptionList, after, int32(limit))
		return err
	})
	return page, err
}

// scanSubscriptions reads subscriptions from rows of their lanes.
func scanSubscriptions(ctx context.Context, conn *pgx.Conn, sql string, args ...any) ([]store.Subscription, error) {
	rows, err := conn.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []store.Subscription
	for rows.Next() {
		var s store.Subscription
		var l store.Lane
		var at, token int64
		var owner pgtype.UUID
		var label, problem pgtype.Text
		var created, expires, since, changed pgtype.Timestamptz
		err := rows.Scan(&s.Name, &s.Settings, &s.Paused, &created, &s.Parked,
			&l.Lane, &at, &token, &owner, &label, &expires, &problem, &since, &changed)
		if err != nil {
			return nil, err
		}
		if n := len(all); n == 0 || all[n-1].Name != s.Name {
			s.Created = utc(created)
			all = append(all, s)
		}
		last := &all[len(all)-1]
		l.Subscription, l.At, l.Token, l.Owner = s.Name, uint64(at), uint64(token), owner.Bytes
		l.Label, l.Expires, l.Error, l.ErrorSince, l.Changed = label.String, utc(expires), problem.String, utc(since), utc(changed)
		last.Lanes = append(last.Lanes, l)
	}
	return all, rows.Err()
}

// Pause takes all lanes from their owners.
func (k subscriptions) Pause(ctx context.Context, name string, paused bool) error {
	if err := store.CheckSubscription(name); err != nil {
		return err
	}
	return k.found(ctx, "pause", name, k.s.sql.subscriptionPause, name, paused)
}

// Reset puts all lanes at a place.
func (k subscriptions) Reset(ctx context.Context, name string, at uint64, drop bool) error {
	if err := cmp.Or(store.CheckSubscription(name), store.CheckPlace(name, at)); err != nil {
		return err
	}
	return k.found(ctx, "reset", name, k.s.sql.subscriptionReset, name, int64(at), drop)
}

// found runs a statement that returns how many subscriptions it found.
func (k subscriptions) found(ctx context.Context, verb, name, sql string, args ...any) error {
	var n int64
	err := k.call(ctx, verb, name, func(ctx context.Context, conn *pgx.Conn) error {
		return conn.QueryRow(ctx, sql, args...).Scan(&n)
	})
	if err == nil && n == 0 {
		return &store.SubscriptionNotFoundError{Name: name}
	}
	return err
}

// Rename gives the subscription another name.
func (k subscriptions) Rename(ctx context.Context, name, to string) error {
	if err := cmp.Or(store.CheckSubscription(name), store.CheckSubscription(to)); err != nil {
		return err
	}
	if name == to {
		_, err := k.Find(ctx, name)
		return cmp.Or(err, error(&store.SubscriptionExistsError{Name: to}))
	}
	var refusal error
	tries := 0
	err := k.call(ctx, "rename", name, func(ctx context.Context, conn *pgx.Conn) error {
		tries++
		refusal = nil
		var n int64
		err := conn.QueryRow(ctx, k.s.sql.subscriptionRename, name, to).Scan(&n)
		switch {
		case err == nil && n == 0:
			refusal = &store.SubscriptionNotFoundError{Name: name}
			if tries > 1 {
				// An earlier try may have done it, and its reply was lost.
				if there, err := scanSubscriptions(ctx, conn, k.s.sql.subscriptionFind, to); err != nil || len(there) > 0 {
					refusal = nil
					return err
				}
			}
		case isNameTaken(err):
			refusal = &store.SubscriptionExistsError{Name: to}
			return nil
		}
		return err
	})
	return cmp.Or(err, refusal)
}

func isNameTaken(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && pg.Code == stateUniqueViolation && pg.ConstraintName == "subscriptions_name_key"
}

// Delete removes the subscription.
func (k subscriptions) Delete(ctx context.Context, name string) error {
	if err := store.CheckSubscription(name); err != nil {
		return err
	}
	var deleted bool
	tries := 0
	err := k.call(ctx, "delete", name, func(ctx context.Context, conn *pgx.Conn) error {
		tries++
		tag, err := conn.Exec(ctx, k.s.sql.subscriptionDelete, name)
		// If it is gone now, an earlier try has done it, and its reply was lost.
		deleted = tries > 1 || tag.RowsAffected() > 0
		return err
	})
	if err == nil && !deleted {
		return &store.SubscriptionNotFoundError{Name: name}
	}
	return err
}

func (k subscriptions) call(ctx context.Context, verb, name string, work func(context.Context, *pgx.Conn) error) error {
	return k.s.call(ctx, verb+" subscription "+printable.Name(name), work)
}
