package postgres_test

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/esgen/esgen/internal/pgtest"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/postgres"
)

// wire stands between pools and the server and breaks connections on purpose.
type wire struct {
	// cutReply makes the next connection that gets a reply lose it, after the
	// server has sent it all.
	cutReply atomic.Bool
	// down refuses new connections.
	down atomic.Bool
	// dialled counts connections, received the bytes that the server sent.
	dialled, received atomic.Int64
}

var errCut = errors.New("cut by the test")

func (w *wire) configure(c *pgxpool.Config) {
	c.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		if w.down.Load() {
			return nil, errCut
		}
		w.dialled.Add(1)
		var d net.Dialer
		conn, err := d.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &wireConn{Conn: conn, w: w}, nil
	}
	// Connections that look alive are not asked whether they are.
	c.PingTimeout = time.Second
}

type wireConn struct {
	net.Conn
	w    *wire
	once sync.Once
}

// Read loses what the server says if that is asked for. The server has sent the
// end of its reply, ReadyForQuery, so whatever it was told to do is done.
func (c *wireConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.w.received.Add(int64(n))
	if err == nil && c.w.cutReply.CompareAndSwap(true, false) {
		for end := p[:n]; len(end) < 6 || end[len(end)-6] != 'Z'; end = p[:n] {
			if n, err = c.Conn.Read(p); err != nil {
				break
			}
		}
		c.once.Do(func() { c.Close() })
		return 0, io.ErrUnexpectedEOF
	}
	return n, err
}

func TestALostReplyIsAskedForAgain(t *testing.T) {
	t.Parallel()
	for name, batches := range map[string][]store.Batch{
		"one event, no stream": {batch("a-1", store.NoStream, event("x", `{}`))},
		"one event, any":       {batch("a-1", store.Any, event("x", `{}`))},
		"two streams":          {batch("b-1", store.Any, event("x", `{}`), event("y", `{}`)), batch("a-1", 0, event("x", `{}`))},
		"exact":                {batch("seed", 1, event("x", `{}`))},
		"exists":               {batch("seed", store.StreamExists, event("x", `{}`))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var w wire
			s := openQuiet(t, w.configure)
			if _, err := s.Append(t.Context(), batch("seed", store.NoStream, event("x", `{}`))); err != nil {
				t.Fatal(err)
			}
			// All statements are prepared now, so that the reply is the append's.
			if _, err := s.Append(t.Context(), batch("warm-1", store.Any, event("x", `{}`)), batch("warm-2", store.Any, event("x", `{}`))); err != nil {
				t.Fatal(err)
			}
			bell := s.Local().Wait()
			w.cutReply.Store(true)
			got, err := s.Append(t.Context(), batches...)
			if err != nil {
				t.Fatal(err)
			}
			if w.cutReply.Load() {
				t.Fatal("no reply was lost, so this test shows nothing")
			}
			select {
			case <-bell:
			default:
				t.Error("the doorbell did not ring")
			}
			all := checkOrder(t, s)
			n := 0
			for i, b := range batches {
				n += len(b.Events)
				last := all[got[i].Last-1]
				if got[i].Duplicate || last.Stream != b.Stream || last.Version != got[i].Version || last.ID != b.Events[len(b.Events)-1].ID {
					t.Errorf("answered %+v, stored %+v", got[i], last)
				}
			}
			if len(all) != 3+n {
				t.Errorf("%d events are stored", len(all))
			}
		})
	}
}

func TestALostReplyThatCannotBeAskedForIsAnUnknownOutcome(t *testing.T) {
	t.Parallel()
	var w wire
	s := openQuiet(t, w.configure)
	if _, err := s.Append(t.Context(), batch("warm-1", store.Any, event("x", `{}`))); err != nil {
		t.Fatal(err)
	}
	w.cutReply.Store(true)
	w.down.Store(true)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := s.Append(ctx, batch("a-1", store.NoStream, event("x", `{}`)))
	var unknown *store.UnknownOutcomeError
	if !errors.As(err, &unknown) || !store.Retryable(err) || !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatalf("got %v", err)
	}
	w.down.Store(false)
	got, err := s.Append(t.Context(), unknown.Batches...)
	want := []store.Appended{{Stream: "a-1", Version: 1, First: 2, Last: 2, Duplicate: true}}
	if err != nil || cmp.Diff(want, got) != "" {
		t.Fatalf("again: %v, %v", got, err)
	}
}

func TestALostReplyToARefusalIsARefusal(t *testing.T) {
	t.Parallel()
	var w wire
	s := openQuiet(t, w.configure)
	if _, err := s.Append(t.Context(), batch("a-1", store.NoStream, event("x", `{}`)), batch("a-2", store.NoStream, event("x", `{}`))); err != nil {
		t.Fatal(err)
	}
	w.cutReply.Store(true)
	_, err := s.Append(t.Context(), batch("a-1", store.NoStream, event("x", `{}`)))
	var conflict *store.ConflictError
	if !errors.As(err, &conflict) || conflict.Actual != 1 || w.cutReply.Load() {
		t.Fatalf("got %v", err)
	}
}

// TestALostAppendThatMayStillBeMetIsNoConflict holds that a conflict is not the
// answer while the append whose reply was lost could yet be stored: when others
// have brought the stream to the version that it expects.
func TestALostAppendThatMayStillBeMetIsNoConflict(t *testing.T) {
	t.Parallel()
	for _, expected := range []store.Version{store.StreamExists, 7} {
		t.Run(expected.String(), func(t *testing.T) {
			t.Parallel()
			var w wire
			s := openQuiet(t, w.configure)
			if _, err := s.Append(t.Context(), batch("warm-1", store.NoStream, event("x", `{}`))); err != nil {
				t.Fatal(err)
			}
			w.cutReply.Store(true)
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			_, err := s.Append(ctx, batch("a-1", expected, event("x", `{}`)))
			if !errors.Is(err, store.ErrUnknownOutcome) || errors.Is(err, store.ErrConflict) || w.cutReply.Load() {
				t.Fatalf("got %v", err)
			}
		})
	}
}

// TestALostAppendToADeletedStreamIsNoRefusal: it may yet be stored, when the stream
// is undeleted.
func TestALostAppendToADeletedStreamIsNoRefusal(t *testing.T) {
	t.Parallel()
	var w wire
	s := openQuiet(t, w.configure)
	mustAppend(t, s, one("a-1", store.NoStream))
	if err := s.Delete(t.Context(), "a-1", store.Any, store.Soft); err != nil {
		t.Fatal(err)
	}
	w.cutReply.Store(true)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := s.Append(ctx, one("a-1", store.Any))
	if !errors.Is(err, store.ErrUnknownOutcome) || errors.Is(err, store.ErrStreamDeleted) || w.cutReply.Load() {
		t.Fatalf("got %v", err)
	}
}

func TestReadsAndCheckpointsSurviveALostReply(t *testing.T) {
	t.Parallel()
	var w wire
	s := openQuiet(t, w.configure)
	if _, err := s.Append(t.Context(), batch("a-1", store.NoStream, event("x", `{}`))); err != nil {
		t.Fatal(err)
	}
	k := s.Subscriptions()
	if _, err := k.Open(t.Context(), store.Subscription{Name: "n", Lanes: make([]store.Lane, 1)}); err != nil {
		t.Fatal(err)
	}
	r, err := k.Renew(t.Context(), store.Member{ID: uuid.New(), Lease: time.Hour, Runs: []string{"n"}})
	if err != nil || len(r.Lanes) != 1 {
		t.Fatalf("renew: %+v, %v", r, err)
	}
	move := store.Move{Hold: store.Hold{Subscription: "n", Token: r.Lanes[0].Token}, To: 1}
	if err := k.Advance(t.Context(), move); err != nil {
		t.Fatal(err)
	}
	w.cutReply.Store(true)
	if all, err := collect(s.Read(t.Context(), store.Query{})); err != nil || len(all) != 1 {
		t.Fatalf("read %d events, %v", len(all), err)
	}
	w.cutReply.Store(true)
	move.From, move.To = 1, 2
	if err := k.Advance(t.Context(), move); err != nil {
		t.Fatal(err)
	}
	c, err := k.Find(t.Context(), "n")
	if err != nil || c.Lanes[0].At != 2 || w.cutReply.Load() {
		t.Fatalf("%+v, %v", c, err)
	}
}

func TestAServerThatIsAwayAndComesBack(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t, pgtest.Options{})
	pool := server.Pool(t)
	server.Stop(pgtest.Fast)
	s, err := postgres.New(pool, postgres.Config{})
	if err != nil {
		t.Fatal(err)
	}
	errs := calls(t, s)
	errs["migrate"] = s.Migrate(t.Context())
	_, errs["pending"] = s.Pending(t.Context())
	for call, err := range errs {
		if !errors.Is(err, store.ErrUnavailable) || !store.Retryable(err) {
			t.Errorf("%s while the server is away: %v", call, err)
		}
	}
	server.Restart()
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	stored := 0
	for _, how := range []pgtest.Mode{pgtest.Fast, pgtest.Immediate, pgtest.Kill} {
		fill(t, pool)
		server.Stop(how)
		server.Restart()
		// The pool is full of connections to a server that has gone.
		if _, err := s.Append(t.Context(), batch("a-1", store.Version(stored), event("x", `{}`))); err != nil {
			t.Fatalf("after the restart: %v", err)
		}
		stored++
		fill(t, pool)
		server.Stop(how)
		server.Restart()
		if all := checkOrder(t, s); len(all) != stored {
			t.Fatalf("%d events after the restart, want %d", len(all), stored)
		}
	}
}

// fill makes pool open as many connections as it may.
func fill(t *testing.T, pool *pgxpool.Pool) {
	t.Helper()
	for range pool.Config().MaxConns {
		c, err := pool.Acquire(t.Context())
		if err == nil {
			err = c.Ping(t.Context())
		}
		if err != nil {
			// A connection of a server that has gone.
			continue
		}
		defer c.Release()
	}
}
