package subscribe

import (
	"log/slog"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/esgen/esgen/internal/printable"
	"github.com/esgen/esgen/runtime/store"
)

// Config says what a subscription reads, and how. The zero value reads all
// events of the store from the first one.
type Config struct {
	// Start is where a subscription begins that has no checkpoint yet: [Origin],
	// [Current], [After], [AfterVersion] or [At]. Later runs go on from the
	// checkpoint, whatever Start says. While the checkpoint is at 0, because
	// nothing was handled yet, an At holds for later runs too.
	//
	// Defaults to Origin.
	Start Start

	// Stream is the one stream to read, which need not exist yet. The
	// subscription then counts versions.
	//
	// Defaults to none.
	Stream string
	// Categories are the categories to read, which need not exist yet. The
	// subscription counts positions. Not together with Stream.
	//
	// Defaults to all events.
	Categories []string

	// Retry says what happens to an event whose handler returned an error.
	Retry Retry

	// CheckpointEvery is the most events that a crash lets be handled again.
	// The checkpoint is stored when half as many were handled, beside the
	// handling; if the store is slow or away, handling waits rather than exceed
	// it. 1 stores the checkpoint after each event and before the next.
	//
	// Defaults to 1000.
	CheckpointEvery int
	// CheckpointAfter is the longest that a handled event waits for its
	// checkpoint while the store works. When no more events are there, the
	// checkpoint is stored at once.
	//
	// Defaults to 1 second.
	CheckpointAfter time.Duration

	// PageSize is the most events to hold in memory. Half of it is read again
	// while the other half is handled.
	//
	// Defaults to 500.
	PageSize int
	// PollInterval is the longest pause before the store is asked for new
	// events, whether or not its doorbell rang. After activity the pauses are
	// shorter, from 10 milliseconds on.
	//
	// Defaults to 1 second.
	PollInterval time.Duration

	// Logger is told when the subscription starts, has caught up, begins to
	// fail, goes on, and ends; not about each retry.
	//
	// Defaults to none.
	Logger *slog.Logger
}

// Retry says how often and how fast a failing event is handled again. The pauses
// double from First to Longest; each is shortened by up to a half at random, so
// that subscriptions do not fail in step.
type Retry struct {
	// Attempts is how often an event is handled before [Subscription.Run] gives
	// up; 1 retries nothing, a negative number retries for ever.
	//
	// Defaults to 10.
	Attempts int
	// First is the pause after the first failure.
	//
	// Defaults to 100 milliseconds.
	First time.Duration
	// Longest is the longest pause.
	//
	// Defaults to 10 seconds, or to First if that is longer.
	Longest time.Duration
}

// withDefaults returns c checked, filled in, and independent of the caller's
// slices. The error is a [*store.InvalidError].
func (c Config) withDefaults() (Config, error) {
	if err := c.check(); err != nil {
		return Config{}, err
	}
	orElse := func(d *time.Duration, value time.Duration) {
		if *d == 0 {
			*d = value
		}
	}
	if c.Start == nil {
		c.Start = Origin
	}
	c.Categories = slices.Compact(slices.Sorted(slices.Values(c.Categories)))
	if c.Retry.Attempts == 0 {
		c.Retry.Attempts = 10
	}
	orElse(&c.Retry.First, 100*time.Millisecond)
	orElse(&c.Retry.Longest, max(10*time.Second, c.Retry.First))
	if c.CheckpointEvery == 0 {
		c.CheckpointEvery = 1000
	}
	orElse(&c.CheckpointAfter, time.Second)
	if c.PageSize == 0 {
		c.PageSize = 500
	}
	orElse(&c.PollInterval, time.Second)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c, nil
}

func (c Config) check() error {
	if err := (store.Query{Stream: c.Stream, Categories: c.Categories}).Check(); err != nil {
		return err
	}
	switch start := c.Start.(type) {
	case After:
		if start >= math.MaxInt64 {
			return invalid("After(%d) is beyond every position; positions are at most %d", start, int64(math.MaxInt64))
		}
		if c.Stream != "" {
			return invalid("After(%d) is a position, but stream %s is counted in versions; use AfterVersion", start, printable.Name(c.Stream))
		}
	case AfterVersion:
		if c.Stream == "" {
			return invalid("AfterVersion(%d) is a version, but only a subscription to one stream counts versions; use After", int64(start))
		}
		if start < 0 || start == math.MaxInt64 {
			return invalid("AfterVersion(%d) is no version of an event; use AfterVersion(0) or Origin for all events", int64(start))
		}
	}
	for _, limit := range []struct {
		name     string
		value    any
		negative bool
	}{
		{"CheckpointEvery", c.CheckpointEvery, c.CheckpointEvery < 0},
		{"CheckpointAfter", c.CheckpointAfter, c.CheckpointAfter < 0},
		{"PageSize", c.PageSize, c.PageSize < 0},
		{"PollInterval", c.PollInterval, c.PollInterval < 0},
		{"Retry.First", c.Retry.First, c.Retry.First < 0},
		{"Retry.Longest", c.Retry.Longest, c.Retry.Longest < 0},
	} {
		if limit.negative {
			return invalid("%s is %v; leave it 0 for its default", limit.name, limit.value)
		}
	}
	if c.Retry.Longest != 0 && c.Retry.First > c.Retry.Longest {
		return invalid("Retry.First, %s, is longer than Retry.Longest, %s", c.Retry.First, c.Retry.Longest)
	}
	return nil
}

// settings are stored with the checkpoint, so that a program that reads
// something else under the same name is refused. Categories are sorted by now.
func (c Config) settings() string {
	switch {
	case c.Stream != "":
		return "stream " + strconv.Quote(c.Stream)
	case len(c.Categories) > 0:
		quoted := make([]string, len(c.Categories))
		for i, category := range c.Categories {
			quoted[i] = strconv.Quote(category)
		}
		return "categories " + strings.Join(quoted, ", ")
	default:
		return store.All
	}
}

// query selects up to limit events after place.
func (c Config) query(place uint64, limit int) store.Query {
	q := store.Query{Stream: c.Stream, Categories: c.Categories, Limit: limit}
	if c.Stream != "" {
		q.FromVersion = store.Version(place) + 1
	} else {
		q.FromPosition = store.Position(place) + 1
	}
	return q
}

// place is the number by which the subscription counts r.
func (c Config) place(r store.Recorded) uint64 {
	if c.Stream != "" {
		return uint64(r.Version)
	}
	return uint64(r.Position)
}
