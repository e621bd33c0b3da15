package runtime

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

// Retries is a Setting: how often [Execute] and [Atomic] begin again after a
// conflict, beyond the first attempt. 0 means never.
//
// Defaults to 10.
type Retries int

const (
	defaultRetries = 10
	// The longest pause doubles from the first to the last of these.
	firstPause   = time.Millisecond
	longestPause = 100 * time.Millisecond
)

// Retry is an attempt that met a conflict and is about to be repeated.
type Retry struct {
	// Stream on which the conflict was.
	Stream string
	// Attempt is the number of the attempt that met it, from 1.
	Attempt int
	// Err is a [*store.ConflictError], or a [*store.DuplicateEventError] where ids
	// were given or made by a [Key].
	Err error
}

// OnRetry is a Setting: report is called before each pause that precedes a repeat,
// from the goroutine that waits. Use it to count conflicts.
func OnRetry(report func(Retry)) Setting {
	return settingFunc(func(s *settings) error {
		s.report = report
		return nil
	})
}

func (n Retries) set(s *settings) error {
	s.retries = int(n)
	if n < 0 {
		return invalidSetting("es.Retries", fmt.Sprintf("%d is negative; 0 means none", int(n)))
	}
	return nil
}

// pause waits after an attempt that ended with err, or returns a [*RetriesError]
// if there shall be no other.
//
// The pause is anything between nothing and a limit that doubles: those who met
// at one stream come back spread over the whole of it, not in step.
func (s settings) pause(ctx context.Context, stream string, attempt int, err error) error {
	if attempt > s.retries {
		return &RetriesError{Stream: stream, Attempts: attempt, Err: err}
	}
	if s.report != nil {
		s.report(Retry{Stream: stream, Attempt: attempt, Err: err})
	}
	limit := longestPause
	if doublings := attempt - 1; doublings < 32 && firstPause<<doublings < limit {
		limit = firstPause << doublings
	}
	timer := time.NewTimer(rand.N(limit) + 1)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return &RetriesError{Stream: stream, Attempts: attempt, Err: err, Stopped: ctx.Err()}
	case <-timer.C:
		return nil
	}
}
