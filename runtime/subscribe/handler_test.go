package subscribe_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
	"github.com/esgen/esgen/runtime/subscribe"
)

var errSick = errors.New("sick")

// sickAt returns a recorder whose handler does as fail says at position 3.
func sickAt(fail func(attempt int) error) (*recorder, *int) {
	attempts := new(int)
	return &recorder{before: func(_ context.Context, r store.Recorded) error {
		if r.Position != 3 {
			return nil
		}
		*attempts++
		return fail(*attempts)
	}}, attempts
}

func TestFailingEventIsRetried(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, db *faulty) {
		h, attempts := sickAt(func(attempt int) error {
			if attempt <= 4 {
				return errSick
			}
			return nil
		})
		appendTo(t, db, "bank-1", 5)
		p := run(t, newSubscription(t, db, "retried", h.handle, subscribe.Config{}))
		synctest.Wait()
		if s := p.Status(); s.State != "retrying an event" || s.Attempt != 1 || s.At != 2 || !errors.Is(s.LastError, errSick) {
			t.Errorf("after the first failure the status is %+v", s)
		}
		began := time.Now()
		if diff := cmp.Diff([]uint64{1, 2, 3, 4, 5}, positions(h.await(t, 5))); diff != "" {
			t.Error(diff)
		}
		// 100, 200, 400 and 800 milliseconds, each shortened by up to a half.
		if took := time.Since(began); took < 750*time.Millisecond || took > 1500*time.Millisecond || *attempts != 5 {
			t.Errorf("%d attempts took %s", *attempts, took)
		}
		synctest.Wait()
		if s := p.Status(); s.Attempt != 0 || s.State != "live" {
			t.Errorf("after the retries the status is %+v", s)
		}
		p.stop(t)
	})
}

func TestHandlerErrorEndsIt(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		retry    subscribe.Retry
		fail     func(int) error
		attempts int
		text     string
	}{
		{"after the retries", subscribe.Retry{}, func(int) error { return errSick }, 10, "tried 10 times: sick"},
		{"no retries", subscribe.Retry{Attempts: 1}, func(int) error { return errSick }, 1, "tried once: sick"},
		{"stop", subscribe.Retry{Attempts: -1}, func(int) error { return subscribe.Stop(errSick) }, 1, "tried once: sick"},
		{"stop later", subscribe.Retry{}, func(n int) error {
			if n < 3 {
				return errSick
			}
			return subscribe.Stop(errSick)
		}, 3, "tried 3 times: sick"},
		{"panic", subscribe.Retry{Attempts: 2}, func(int) error { panic(errSick) }, 2, "tried 2 times: panic: sick\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T, db *faulty) {
				h, attempts := sickAt(test.fail)
				appendTo(t, db, "bank-1", 5)
				p := run(t, newSubscription(t, db, "sick", h.handle, subscribe.Config{Retry: test.retry}))
				failed, ok := errors.AsType[*subscribe.HandlerError](p.waits(t, time.Hour))
				if !ok {
					t.Fatalf("Run returned %v, want a HandlerError", p.err)
				}
				got := *failed
				got.Err = nil
				want := subscribe.HandlerError{Subscription: "sick", Stream: "bank-1", Version: 3, Position: 3, Type: "happened", Attempts: test.attempts}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error(diff)
				}
				if !errors.Is(p.err, errSick) || !strings.Contains(p.err.Error(), test.text) || *attempts != test.attempts {
					t.Errorf("after %d attempts Run returned %v", *attempts, p.err)
				}
				if s := p.Status(); s.Stored != 2 || s.At != 2 || s.State != "not running" || s.Attempt != 0 || s.Live || !errors.Is(s.LastError, errSick) {
					t.Errorf("the status is %+v", s)
				}
				// The next run begins with the event.
				well := &recorder{}
				p = run(t, newSubscription(t, db, "sick", well.handle, subscribe.Config{}))
				if diff := cmp.Diff([]uint64{3, 4, 5}, positions(well.await(t, 3))); diff != "" {
					t.Error(diff)
				}
				p.stop(t)
			})
		})
	}
}

// waits is result with patience of its own.
func (p *process) waits(t testing.TB, d time.Duration) error {
	t.Helper()
	select {
	case <-p.ended:
		return p.err
	case <-time.After(d):
		t.Fatalf("Run did not return within %s", d)
		return nil
	}
}

func TestPanicCarriesItsStack(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, db *faulty) {
		h, _ := sickAt(func(int) error { return deepTrouble() })
		appendTo(t, db, "bank-1", 3)
		p := run(t, newSubscription(t, db, "panics", h.handle, subscribe.Config{Retry: subscribe.Retry{Attempts: 1}}))
		panicked, ok := errors.AsType[*subscribe.PanicError](p.result(t))
		if !ok || panicked.Value != "trouble" || !bytes.Contains(panicked.Stack, []byte("deepTrouble")) {
			t.Errorf("Run returned %v, want a PanicError with the stack", p.err)
		}
	})
}

func deepTrouble() error { panic("trouble") }

func TestGoexitEndsItWithoutRetries(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, db *faulty) {
		h, attempts := sickAt(func(int) error {
			runtime.Goexit()
			return nil
		})
		appendTo(t, db, "bank-1", 3)
		p := run(t, newSubscription(t, db, "exits", h.handle, subscribe.Config{}))
		failed, ok := errors.AsType[*subscribe.HandlerError](p.result(t))
		if !ok || failed.Position != 3 || *attempts != 1 || !strings.Contains(failed.Error(), "Goexit") {
			t.Errorf("Run returned %v after %d attempts", p.err, *attempts)
		}
	})
}

func TestHandlerContext(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, db *faulty) {
		// What a handler appends is caused by what it handles.
		p := run(t, newSubscription(t, db, "causes", func(ctx context.Context, _ store.Recorded) error {
			_, err := db.Append(ctx, store.Batch{Stream: "copy-1", Expected: store.Any, Events: []store.Event{{Type: "copied", Format: store.JSON, Data: []byte(`{}`)}}})
			return err
		}, subscribe.Config{Categories: []string{"bank"}}))
		appendTo(t, db, "bank-1", 1)
		pass(time.Second)
		p.stop(t)
		var all []store.Recorded
		for r, err := range db.Read(t.Context(), store.Query{}) {
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, r)
		}
		if len(all) != 2 || all[1].Causation != all[0].ID || all[1].Correlation != all[0].ID {
			t.Errorf("the events are %+v, want the second caused by the first", all)
		}
	})
}

func TestStopEndsTheHandlersContext(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		end    func(context.Context) error
		stored uint64
	}{
		{"handled nevertheless", func(context.Context) error { return nil }, 1},
		{"given up", func(ctx context.Context) error { return ctx.Err() }, 0},
		{"stopped", func(ctx context.Context) error { return subscribe.Stop(errSick) }, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T, db *faulty) {
				p := run(t, newSubscription(t, db, "stops", func(ctx context.Context, _ store.Recorded) error {
					<-ctx.Done()
					return test.end(ctx)
				}, subscribe.Config{}))
				appendTo(t, db, "bank-1", 2)
				pass(time.Second)
				p.stop(t)
				if s := p.Status(); s.Stored != test.stored || s.State != "not running" {
					t.Errorf("the status is %+v, want %d stored", s, test.stored)
				}
			})
		})
	}
}

// Trouble is logged when it begins and when it ends, not at each retry.
func TestLogsChangesOnly(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, db *faulty) {
		var out bytes.Buffer
		log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.LevelKey || a.Key == slog.MessageKey {
				return a
			}
			return slog.Attr{}
		}}))
		db.read = func(n int64, _ store.Query) error { return until(6, errAway)(n) }
		h, _ := sickAt(func(int) error { return errSick })
		appendTo(t, db, "bank-1", 3)
		p := run(t, newSubscription(t, db, "logs", h.handle, subscribe.Config{Logger: log}))
		_ = p.waits(t, time.Hour)
		want := `level=INFO msg="subscription started"
level=WARN msg="subscription cannot read events, retrying"
level=INFO msg="subscription can read events again"
level=WARN msg="subscription cannot handle an event, retrying"
level=ERROR msg="subscription ended"
`
		if diff := cmp.Diff(want, out.String()); diff != "" {
			t.Error(diff)
		}
	})
}

// A lane that is another's by now ends the context of the handler under way, and
// what that one answers is not stored.
func TestLostLaneReachesTheHandler(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, db *faulty) {
		appendTo(t, db, "bank-1", 2)
		var cause atomic.Pointer[error]
		p := run(t, newSubscription(t, db, "reached", func(ctx context.Context, r store.Recorded) error {
			if r.Position == 2 && cause.Load() == nil {
				<-ctx.Done()
				err := context.Cause(ctx)
				cause.Store(&err)
				return err
			}
			return nil
		}, subscribe.Config{}))
		pass(10 * time.Millisecond)
		// Somebody takes the lanes from their owners.
		if err := db.Subscriptions().Reset(t.Context(), "reached", 0, false); err != nil {
			t.Fatal(err)
		}
		pass(10 * time.Second)
		if err := cause.Load(); err == nil || !errors.Is(*err, subscribe.ErrLeaseLost) {
			t.Errorf("the handler's context ended with %v, want ErrLeaseLost", err)
		}
		if s := p.Status(); s.State != "live" || s.Stored != 2 || len(s.Lanes) != 1 || s.Lanes[0].Token < 2 {
			t.Errorf("it has the lane again, but its status is %+v", s)
		}
		p.stop(t)
	})
}

// A handler that fails because its context ended is no failing handler, whichever
// of the two is noticed first.
func TestShutdownIsNoFailure(t *testing.T) {
	t.Parallel()
	db := memory.New(memory.Config{})
	appendTo(t, db, "bank-1", 1)
	for range 300 {
		ctx, cancel := context.WithCancel(t.Context())
		sub := newSubscription(t, db, "shut-down", func(context.Context, store.Recorded) error {
			cancel()
			return errSick
		}, subscribe.Config{Retry: subscribe.Retry{Attempts: 1}})
		if err := sub.Run(ctx); !errors.Is(err, context.Canceled) {
			t.Fatalf("Run returned %v, want %v", err, context.Canceled)
		}
	}
}
