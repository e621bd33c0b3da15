package postgres

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/puddle/v2"
)

const (
	// ringPause is the least time between two NOTIFYs of a store: each takes a lock
	// of the whole server for a moment.
	ringPause = 5 * time.Millisecond
	// ringTimeout bounds one try, maxRings how many fail before the others are left
	// to their polling.
	ringTimeout = 5 * time.Second
	maxRings    = 10
)

// channelOf names what a store's processes notify each other on. Channels are the
// database's, and their names have at most 63 bytes.
func channelOf(schema string) string {
	if name := "esgen:" + schema; len(name) <= 63 {
		return name
	}
	sum := sha256.Sum256([]byte(schema))
	return "esgen#" + hex.EncodeToString(sum[:16])
}

// signature tells a store's own rings from those of others, also in one process:
// two stores share no bell.
func signature() string { return rand.Text()[:12] }

// ringer notifies other processes of appends: after the commit, in nobody's
// transaction and nobody's time. The first ring is sent at once, all that come
// before the next may be sent are one. The goroutine that does it ends when nothing
// is left to send.
type ringer struct {
	send func(context.Context) error

	mu     sync.Mutex
	due    bool
	done   chan struct{} // closed when the goroutine ends; nil without one
	closed bool
	hurry  chan struct{} // closed by close
}

func newRinger(send func(context.Context) error) *ringer {
	return &ringer{send: send, hurry: make(chan struct{})}
}

func (r *ringer) ring() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	r.due = true
	if r.done == nil {
		r.done = make(chan struct{})
		go r.work(r.done)
	}
}

func (r *ringer) work(done chan struct{}) {
	defer close(done)
	for failures := 0; r.next(failures); {
		ctx, cancel := context.WithTimeout(context.Background(), ringTimeout)
		err := r.send(ctx)
		cancel()
		pause := ringPause
		if failures++; err == nil {
			failures = 0
		} else if r.again(err) {
			pause <<= failures
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-r.hurry:
			timer.Stop()
		}
	}
}

// next takes what is due, or ends the goroutine.
func (r *ringer) next(failures int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.due || failures >= maxRings || r.closed && failures > 0 {
		r.due, r.done = false, nil
		return false
	}
	r.due = false
	return true
}

// again makes a ring that was not sent due again, unless it never can be.
func (r *ringer) again(err error) bool {
	if errors.Is(err, puddle.ErrClosedPool) {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.due = true
	return true
}

// close returns when what was due is sent, or ctx has ended.
func (r *ringer) close(ctx context.Context) error {
	r.mu.Lock()
	if !r.closed {
		r.closed = true
		close(r.hurry)
	}
	done := r.done
	r.mu.Unlock()
	if done == nil {
		return nil
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ring wakes all who wait for events, here and in other processes.
func (s *Store) ring() {
	s.local.Ring()
	if !s.config.NoNotify {
		s.ringer.ring()
	}
}

// notify is one ring, on a connection of the pool. PgBouncer passes it on.
func (s *Store) notify(ctx context.Context) error {
	_, err := s.pool.Exec(ctx, "SELECT pg_notify($1, $2)", pgx.QueryExecModeExec, channelOf(s.config.Schema), s.signature)
	return err
}
