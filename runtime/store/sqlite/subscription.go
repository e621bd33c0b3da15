package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"errors"

	"github.com/esgen/esgen/internal/printable"
	"github.com/esgen/esgen/runtime/store"
)

// Subscriptions returns where subscriptions are kept: beside the events, and as
// durable. Times are by [Config.Now], so processes that share a file share a clock.
func (s *Store) Subscriptions() store.Subscriptions { return subscriptions{s} }

type subscriptions struct{ s *Store }

// write changes something under the write lock, all or nothing. apply, which is
// called again if a transaction was lost, refuses before it writes.
func (k subscriptions) write(ctx context.Context, op string, apply func(t *tx, now int64) error) error {
	ctx, cancel, err := k.s.begin(ctx, op)
	if err != nil {
		return err
	}
	defer cancel()
	return k.s.change(ctx, op, func(t *tx) error { return apply(t, k.s.now().UnixMicro()) })
}

// change writes through the writer. Unlike an append it may simply be made again
// when its outcome is unknown, so that is a [*store.UnavailableError].
func (s *Store) change(ctx context.Context, op string, apply func(*tx) error) error {
	err := s.writer.do(ctx, &change{op: op, apply: apply})
	if err == nil {
		return nil
	}
	if _, doubt := errors.AsType[*doubtError](err); doubt {
		return &store.UnavailableError{Op: op, Err: err}
	}
	return s.outcome(op, err)
}

// Open returns what is stored under the name, or stores sub.
func (k subscriptions) Open(ctx context.Context, sub store.Subscription) (store.Subscription, error) {
	if err := sub.Check(); err != nil {
		return store.Subscription{}, err
	}
	op := "open subscription " + printable.Name(sub.Name)
	for range maxOpens {
		// Most are stored already, and reading waits for nobody.
		stored, err := k.read(ctx, op, findSubscriptionSQL, sub.Name)
		if err != nil {
			return store.Subscription{}, err
		}
		if len(stored) > 0 {
			return stored[0], nil
		}
		err = k.write(ctx, op, func(t *tx, now int64) error { //nolint:contextcheck // a flush is no caller's to interrupt
			if _, _, found := t.subscription(sub.Name); found {
				return nil
			}
			id := t.insert(openSubscriptionSQL, sub.Name, sub.Settings, now)
			for i, l := range sub.Lanes {
				t.exec(insertLaneSQL, id, i, int64(l.At), now)
			}
			return nil
		})
		if err != nil {
			return store.Subscription{}, err
		}
	}
	return store.Subscription{}, opError(op, errors.New("others delete and open it again and again"))
}

const maxOpens = 8

// Find returns the subscription.
func (k subscriptions) Find(ctx context.Context, name string) (store.Subscription, error) {
	if err := store.CheckSubscription(name); err != nil {
		return store.Subscription{}, err
	}
	stored, err := k.read(ctx, "find subscription "+printable.Name(name), findSubscriptionSQL, name)
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
	return k.read(ctx, "list subscriptions", listSubscriptionsSQL, after, limit)
}

// read reads subscriptions from rows of their lanes.
func (k subscriptions) read(ctx context.Context, op, query string, args ...any) (all []store.Subscription, _ error) {
	err := k.s.rows(ctx, op, query, args, func(rows *sql.Rows) error {
		var s store.Subscription
		var l store.Lane
		var created, at, token, changed int64
		var owner []byte
		var label, problem sql.NullString
		var expires, since sql.NullInt64
		err := rows.Scan(&s.Name, &s.Settings, &s.Paused, &created, &s.Parked,
			&l.Lane, &at, &token, &owner, &label, &expires, &problem, &since, &changed)
		if err != nil {
			return err
		}
		if n := len(all); n == 0 || all[n-1].Name != s.Name {
			s.Created = instant(created)
			all = append(all, s)
		}
		last := &all[len(all)-1]
		copy(l.Owner[:], owner)
		l.Subscription, l.At, l.Token, l.Label, l.Error = s.Name, uint64(at), uint64(token), label.String, problem.String
		l.Expires, l.ErrorSince, l.Changed = perhaps(expires), perhaps(since), instant(changed)
		last.Lanes = append(last.Lanes, l)
		return nil
	})
	return all, err
}

// rows calls scan for each row of a query that reads.
func (s *Store) rows(ctx context.Context, op, query string, args []any, scan func(*sql.Rows) error) error {
	ctx, cancel, err := s.begin(ctx, op)
	if err != nil {
		return err
	}
	defer cancel()
	st, err := s.base.statement(ctx, query)
	if err == nil {
		err = each(ctx, st, args, scan)
	}
	return interpret(store.Ended(ctx, ""), s.file, op, err)
}

func each(ctx context.Context, st *sql.Stmt, args []any, scan func(*sql.Rows) error) error {
	rows, err := st.QueryContext(ctx, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // its error is that of Err
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Pause takes all lanes from their owners.
func (k subscriptions) Pause(ctx context.Context, name string, paused bool) error {
	if err := store.CheckSubscription(name); err != nil {
		return err
	}
	return k.edit(ctx, "pause", name, func(t *tx, id, now int64) { //nolint:contextcheck // a flush is no caller's to interrupt
		t.exec(pauseSubscriptionSQL, id, paused)
		t.exec(freeLanesSQL, id, now)
	})
}

// Reset puts all lanes at a place.
func (k subscriptions) Reset(ctx context.Context, name string, at uint64, drop bool) error {
	if err := cmp.Or(store.CheckSubscription(name), store.CheckPlace(name, at)); err != nil {
		return err
	}
	return k.edit(ctx, "reset", name, func(t *tx, id, now int64) { //nolint:contextcheck // a flush is no caller's to interrupt
		t.exec(freeLanesSQL, id, now)
		t.exec(resetLanesSQL, id, int64(at), now)
		if drop {
			t.exec(removeParkedSQL, id)
		}
	})
}

// Rename gives the subscription another name.
func (k subscriptions) Rename(ctx context.Context, name, to string) error {
	if err := cmp.Or(store.CheckSubscription(name), store.CheckSubscription(to)); err != nil {
		return err
	}
	return k.write(ctx, "rename subscription "+printable.Name(name), func(t *tx, now int64) error { //nolint:contextcheck // a flush is no caller's to interrupt
		id, _, found := t.subscription(name)
		_, _, taken := t.subscription(to)
		switch {
		case !found && taken && t.resolving:
			return nil // a transaction in doubt has done it
		case !found:
			return &store.SubscriptionNotFoundError{Name: name}
		case taken:
			return &store.SubscriptionExistsError{Name: to}
		}
		t.exec(renameSubscriptionSQL, id, to)
		t.exec(freeLanesSQL, id, now)
		return nil
	})
}

const deleting = "delete"

// Delete removes the subscription.
func (k subscriptions) Delete(ctx context.Context, name string) error {
	if err := store.CheckSubscription(name); err != nil {
		return err
	}
	return k.edit(ctx, deleting, name, func(t *tx, id, _ int64) {
		t.exec(removeParkedSQL, id)
		t.exec(removeLanesSQL, id)
		t.exec(removeSubscriptionSQL, id)
	})
}

// edit changes one subscription by its number.
func (k subscriptions) edit(ctx context.Context, verb, name string, f func(t *tx, id, now int64)) error {
	return k.write(ctx, verb+" subscription "+printable.Name(name), func(t *tx, now int64) error { //nolint:contextcheck // a flush is no caller's to interrupt
		id, _, found := t.subscription(name)
		switch {
		case !found && t.resolving && verb == deleting:
			return nil // a transaction in doubt has done it
		case !found:
			return &store.SubscriptionNotFoundError{Name: name}
		}
		f(t, id, now)
		return nil
	})
}

func (t *tx) subscription(name string) (id int64, paused, found bool) {
	found = t.row(subscriptionSQL, []any{name}, &id, &paused)
	return id, paused, found
}
