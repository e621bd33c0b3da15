package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/esgen/esgen/runtime/store"
)

const (
	connectTimeout = 10 * time.Second
	// aliveEvery is how long nothing is heard before the connection is tried: one
	// that a firewall has dropped looks as if nobody appended. aliveTimeout is how
	// long that may take.
	aliveEvery   = 15 * time.Second
	aliveTimeout = 5 * time.Second
)

// Listener hears of the appends of other processes, so that subscriptions are woken
// at once instead of by their polling. It is one connection for all stores that are
// given it in [Config.Listener], also for those of other pools if they are in the
// same database, and none while nobody waits for events of any of them.
//
// Nothing depends on it: subscriptions poll all the same. A connection that breaks,
// or that answers no more for 20 seconds, is made anew, with pauses of up to 5
// seconds, and everybody is woken then. [Store.Doctor] tells how it is doing. It ends
// with the last subscription, or with [Store.Close]; there is nothing else to close.
// Methods are safe for concurrent use.
type Listener struct {
	pool         *pgxpool.Pool
	aliveEvery   time.Duration
	aliveTimeout time.Duration

	mu   sync.Mutex
	ears map[string]map[*ear]struct{} // by channel
	// version counts changes of ears, change ends the last wait so that they count.
	version int
	change  context.CancelFunc
	end     context.CancelFunc
	state   ListenerState
}

// ear is a store that listens.
type ear struct {
	signature string
	ring      func()
}

// NewListener returns one that takes its connection from pool, for good: it counts
// no longer against the pool's size. pool must reach the server directly, or by a
// pooler in session mode; in transaction mode PgBouncer loses what is to be heard.
// So pool may be that of the store, or, behind PgBouncer, one of its own:
//
//	direct, err := pgxpool.New(ctx, "postgres://db.internal/shop")
//	listener, err := postgres.NewListener(direct)
//	db, err := postgres.New(pooled, postgres.Config{Listener: listener})
//
// NewListener connects to nothing. The error is a [*store.InvalidError].
func NewListener(pool *pgxpool.Pool) (*Listener, error) {
	if pool == nil {
		return nil, &store.InvalidError{What: "pool of a listener", Reason: "nil; make one with pgxpool.New"}
	}
	return &Listener{pool: pool, ears: map[string]map[*ear]struct{}{}, aliveEvery: aliveEvery, aliveTimeout: aliveTimeout}, nil
}

// hear calls e.ring for what others notify on a channel, until deaf is called.
func (l *Listener) hear(channel string, e *ear) (deaf func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.ears) == 0 {
		var ctx context.Context
		ctx, l.end = context.WithCancel(context.Background())
		l.state = ListenerState{}
		go l.listen(ctx)
	}
	if l.ears[channel] == nil {
		l.ears[channel] = map[*ear]struct{}{}
	}
	l.ears[channel][e] = struct{}{}
	l.changed()
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.ears[channel], e)
		if len(l.ears[channel]) == 0 {
			delete(l.ears, channel)
		}
		if l.changed(); len(l.ears) == 0 {
			l.end()
			l.state.Connected = false
		}
	}
}

// changed wants the lock.
func (l *Listener) changed() {
	l.version++
	if l.change != nil {
		l.change()
	}
}

// listen keeps a connection until nobody listens.
func (l *Listener) listen(ctx context.Context) {
	for failures := 0; ; {
		connected, err := l.session(ctx)
		if ctx.Err() != nil {
			return
		}
		if connected {
			failures = 0
		}
		l.mu.Lock()
		l.state.Connected, l.state.Since, l.state.Error = false, nil, err.Error()
		l.mu.Unlock()
		longest := min(50*time.Millisecond<<min(failures, 7), 5*time.Second)
		failures++
		timer := time.NewTimer(longest/2 + rand.N(longest/2))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

// session is the life of one connection.
func (l *Listener) session(ctx context.Context) (connected bool, err error) {
	conn, err := l.connect(ctx)
	if err != nil {
		return false, err
	}
	defer func() {
		// ctx may have ended, and the connection may be dead.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(ctx)
	}()
	listening := make(map[string]bool)
	for {
		version, err := l.tune(ctx, conn, listening)
		if err != nil {
			return connected, err
		}
		connected = true
		n, err := l.next(ctx, conn, version)
		switch {
		case ctx.Err() != nil:
			return connected, ctx.Err()
		case err != nil:
			return connected, err
		case n != nil:
			l.heard(n.Channel, n.Payload)
		}
	}
}

func (l *Listener) connect(ctx context.Context) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	pooled, err := l.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	return pooled.Hijack(), nil
}

// tune listens to the channels that are wanted now, and rings for those that are new:
// what was notified before was not heard.
func (l *Listener) tune(ctx context.Context, conn *pgx.Conn, listening map[string]bool) (version int, err error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	l.mu.Lock()
	version = l.version
	var added, gone []string
	for channel := range l.ears {
		if !listening[channel] {
			added = append(added, channel)
		}
	}
	for channel := range listening {
		if l.ears[channel] == nil {
			gone = append(gone, channel)
		}
	}
	l.mu.Unlock()
	for _, channel := range gone {
		if _, err := conn.Exec(ctx, "UNLISTEN "+quote(channel)); err != nil {
			return 0, err
		}
		delete(listening, channel)
	}
	for _, channel := range added {
		if _, err := conn.Exec(ctx, "LISTEN "+quote(channel)); err != nil {
			return 0, err
		}
		listening[channel] = true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.state.Connected && len(l.ears) > 0 {
		now := time.Now()
		l.state.Connected, l.state.Since, l.state.Error = true, &now, ""
	}
	for _, channel := range added {
		for e := range l.ears[channel] {
			e.ring()
		}
	}
	return version, nil
}

// next returns the next notification, or nil if there are other ears than in version.
func (l *Listener) next(ctx context.Context, conn *pgx.Conn, version int) (*notification, error) {
	waiting, cancel := context.WithTimeout(ctx, l.aliveEvery)
	defer cancel()
	l.mu.Lock()
	if l.version != version || ctx.Err() != nil {
		l.mu.Unlock()
		return nil, ctx.Err()
	}
	l.change = cancel
	l.mu.Unlock()
	n, err := conn.WaitForNotification(waiting)
	switch {
	case err == nil:
		return &notification{n.Channel, n.Payload}, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(waiting.Err(), context.Canceled):
		return nil, nil //nolint:nilnil // see above
	case waiting.Err() == nil:
		return nil, err
	}
	trying, tried := context.WithTimeout(ctx, l.aliveTimeout)
	defer tried()
	if _, err := conn.Exec(trying, "SELECT 1"); err != nil {
		return nil, fmt.Errorf("the connection has not answered for %s: %w", l.aliveTimeout, err)
	}
	return nil, nil //nolint:nilnil // see above
}

type notification struct{ Channel, Payload string }

// heard rings for those who did not notify themselves.
func (l *Listener) heard(channel, signature string) {
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.state.Heard = &now
	for e := range l.ears[channel] {
		if e.signature != signature {
			e.ring()
		}
	}
}

// report is how the listener is doing, nil if nobody listens.
func (l *Listener) report() *ListenerState {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.ears) == 0 {
		return nil
	}
	state := l.state
	return &state
}
