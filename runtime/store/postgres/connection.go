package postgres

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// maxAttempts bounds how many dead connections in a row a call tries: a server
// that has restarted leaves a pool full of them.
const maxAttempts = 8

// backoff is a pause that grows, for calls that are made again.
type backoff struct{ count int }

// pause waits: first not at all, then up to a quarter of a second. It returns an
// error if ctx has ended.
func (b *backoff) pause(ctx context.Context) error {
	b.count++
	if b.count == 1 {
		return ctx.Err()
	}
	longest := min(time.Millisecond<<min(b.count, 8), 250*time.Millisecond)
	timer := time.NewTimer(longest/2 + rand.N(longest/2))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// acquire returns a connection of the pool. The pool leaves who asks to the one
// connection that it makes, or pings, for him, also if that hangs for minutes while
// others become idle: then it is asked again. Who waits for others to give theirs
// back loses his turn by that, so it is done ever more rarely.
func (s *Store) acquire(ctx context.Context) (*pgxpool.Conn, error) {
	for looks := 1; ; looks *= 2 {
		attempt, give := context.WithCancel(ctx)
		up := time.AfterFunc(stallAfter, func() {
			again := time.NewTicker(stallAfter)
			defer again.Stop()
			for look := 1; look < looks && s.pool.Stat().IdleConns() == 0; look++ {
				select {
				case <-again.C:
				case <-attempt.Done():
					return
				}
			}
			give()
		})
		conn, err := s.pool.Acquire(attempt)
		up.Stop()
		given := attempt.Err() != nil
		give()
		if err == nil || !given || ctx.Err() != nil {
			return conn, err
		}
	}
}

// do runs work, which must be safe to repeat, on a connection of the pool, again
// if the connection was dead. Errors are pgx's.
func (s *Store) do(ctx context.Context, work func(context.Context, *pgx.Conn) error) error {
	var wait backoff
	for {
		conn, err := s.acquire(ctx)
		if err != nil {
			return err
		}
		err = work(ctx, conn.Conn())
		conn.Release()
		if err == nil || !stale(err) && !transient(err) || wait.count >= maxAttempts || wait.pause(ctx) != nil {
			return err
		}
	}
}
