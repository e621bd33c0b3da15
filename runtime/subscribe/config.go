package subscribe

import (
	"log/slog"
	"math"
	"slices"
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
	// Only restricts what is read to these stored event types, in the database.
	// An event of another type counts as handled.
	//
	// Defaults to all types.
	Only []string
	// Select restricts what is handled, in the program: an event for which it
	// returns false counts as handled. It must be quick, give the same answer for
	// the same event, and may be called by several goroutines at once.
	//
	// Defaults to all events.
	Select func(store.Recorded) bool
	// Map changes an event before it is handled; the place by which it counts and
	// its key are those that it had. A panic counts as a failure of the handler.
	//
	// Defaults to none.
	Map func(store.Recorded) store.Recorded

	// Lanes are how many parts the events are divided into, by key. Each lane is
	// handled in order, by one process at a time; the lanes are spread over all
	// processes that run the subscription. The number never changes once the
	// subscription exists. At most [store.MaxLanes].
	//
	// Defaults to 1.
	Lanes int
	// Key returns what keeps events together: those of one key are in one lane and
	// handled in order. An empty key is one like any other. It must give the same
	// answer for the same event in all programs, and may be called by several
	// goroutines at once. KeyName, which is stored with the subscription, tells
	// one function from another.
	//
	// Defaults to the stream that the event was appended to.
	Key     func(store.Recorded) string
	KeyName string
	// KeyTag takes the key from the metadata, under this name; events without it
	// have the empty key. Not together with Key.
	//
	// Defaults to none.
	KeyTag string

	// Retry says how often an event is handled again whose handler returned an
	// error, OnFailure what happens then.
	Retry Retry
	// OnFailure is [ThenStop], [ThenSkip] or [ThenPark].
	//
	// Defaults to ThenStop.
	OnFailure Policy
	// SkipUnknown passes over events of a type or revision that this program does not
	// know, and counts them as handled. It is for typed subscriptions, as generated
	// code makes them; without it their lanes wait at such an event for a program that
	// knows it. Whatever may be appended later by another release is lost to this
	// subscription.
	//
	// Defaults to false.
	SkipUnknown bool
	// MaxParkedKeys is how many keys with parked events a lane knows at most; one
	// more stops the subscription with a [*ParkedError].
	//
	// Defaults to 10 000.
	MaxParkedKeys int

	// Batch says how many events a batch or transactional handler is given.
	Batch Batch
	// InFlight is the most events of a lane that a [Pull] has given out and that
	// are not acknowledged.
	//
	// Defaults to 100.
	InFlight int

	// CheckpointEvery is the most events of a lane that a crash lets be handled
	// again. The checkpoint is stored when half as many were handled, beside the
	// handling; if the store is slow or away, handling waits rather than exceed
	// it. 1 stores the checkpoint after each event and before the next.
	//
	// Defaults to 5000.
	CheckpointEvery int
	// CheckpointAfter is the longest that a handled event waits for its
	// checkpoint while the store works. When no more events are there, the
	// checkpoint is stored at once.
	//
	// Defaults to 1 second.
	CheckpointAfter time.Duration

	// PageSize is the most events of a lane to hold in memory. Half of it is read
	// again while the other half is handled.
	//
	// Defaults to 2000.
	PageSize int
	// PollInterval is the longest pause before the store is asked for new
	// events, whether or not its doorbell rang. After activity the pauses are
	// shorter, from 10 milliseconds on.
	//
	// Defaults to 1 second.
	PollInterval time.Duration
	// Lease is how long a process keeps its lanes after it was last heard of; it
	// is heard of every third of that. A process that dies without a word is
	// replaced after it. The subscriptions of one store in one process share the
	// shortest of theirs. At least 300 milliseconds.
	//
	// Defaults to 4 seconds.
	Lease time.Duration

	// Observer is told what the subscription does.
	//
	// Defaults to none.
	Observer Observer
	// Logger is told when lanes are gained, released and lost, what begins to fail
	// and goes on again, and how it ends; not about each retry.
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

// Batch is how many events are handled together.
type Batch struct {
	// Size is the most events of a batch.
	//
	// Defaults to 100; 500 for transactions.
	Size int
	// After is how long the first event of a batch waits for the batch to become
	// full. With 0, a batch is what is there.
	//
	// Defaults to 0.
	After time.Duration
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
	c.Only = slices.Compact(slices.Sorted(slices.Values(c.Only)))
	if c.Retry.Attempts == 0 {
		c.Retry.Attempts = 10
	}
	orElse(&c.Retry.First, 100*time.Millisecond)
	orElse(&c.Retry.Longest, max(10*time.Second, c.Retry.First))
	for _, number := range []struct {
		of    *int
		value int
	}{
		{&c.Lanes, 1},
		{&c.MaxParkedKeys, 10_000},
		{&c.Batch.Size, 100},
		{&c.InFlight, 100},
		{&c.CheckpointEvery, 5000},
		{&c.PageSize, 2000},
	} {
		if *number.of == 0 {
			*number.of = number.value
		}
	}
	orElse(&c.CheckpointAfter, time.Second)
	orElse(&c.PollInterval, time.Second)
	orElse(&c.Lease, 4*time.Second)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c, nil
}

// minLease leaves a round trip to a slow database within a third of it.
const minLease = 300 * time.Millisecond

func (c Config) checkLanes() error {
	switch {
	case c.Lanes < 0 || c.Lanes > store.MaxLanes:
		return invalid("%d lanes; 1 to %d", c.Lanes, store.MaxLanes)
	case c.Key != nil && c.KeyTag != "":
		return invalid("both Key and KeyTag %q; choose one", c.KeyTag)
	case c.Key != nil && c.KeyName == "":
		return invalid("Key has no KeyName; name the function, so that a program with another one is refused")
	case c.Key == nil && c.KeyName != "":
		return invalid("KeyName %q names no function; set Key too", c.KeyName)
	case c.Lease != 0 && c.Lease < minLease:
		return invalid("a lease of %s passes before it can be renewed; at least %s", c.Lease, minLease)
	case c.OnFailure < ThenStop || c.OnFailure > ThenPark:
		return invalid("OnFailure is %d; ThenStop, ThenSkip or ThenPark", int(c.OnFailure))
	}
	return nil
}

func (c Config) check() error {
	if err := (store.Query{Stream: c.Stream, Categories: c.Categories, Types: c.Only}).Check(); err != nil {
		return err
	}
	if err := c.checkLanes(); err != nil {
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
		{"MaxParkedKeys", c.MaxParkedKeys, c.MaxParkedKeys < 0},
		{"Batch.Size", c.Batch.Size, c.Batch.Size < 0},
		{"Batch.After", c.Batch.After, c.Batch.After < 0},
		{"InFlight", c.InFlight, c.InFlight < 0},
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
