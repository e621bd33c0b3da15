package history

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
)

// Config is what one process does to a store.
type Config struct {
	// Store is appended to and read from. Required.
	Store store.Store
	// Dir takes the logs: an empty directory, the same one for all processes.
	// Required.
	Dir string
	// Name of the process, which no other one has ever had in Dir. Required.
	Name string
	// Seed of everything that is chosen at random.
	Seed uint64

	// Writers append, each one thing at a time. Defaults to 4.
	Writers int
	// Followers read $all as it grows, as subscriptions do. Defaults to 1.
	Followers int
	// Latecomers read parts of $all, categories and streams again and again.
	// Defaults to 1.
	Latecomers int

	// InTx calls do in a transaction of the caller's: commits if do returns nil,
	// rolls back if it returns an error, and returns that. Positions in what an
	// append in it answers may be 0; those of its appends that are no duplicates
	// are in the result, unless that is nil. Defaults to no such transactions.
	InTx func(ctx context.Context, do func(context.Context, store.Streams) error) ([]store.Appended, error)
	// Hold is how long the longest transactions stay open. Defaults to 0.
	Hold time.Duration
	// Delete deletes a stream for good. Defaults to no deletions.
	Delete func(ctx context.Context, stream string) error

	// Timeout of one append. Defaults to 10 s.
	Timeout time.Duration
	// Pause between what one writer does, at most; on average half of it.
	// Defaults to none.
	Pause time.Duration
	// Ops ends a writer after so many appends. Defaults to no end.
	Ops int
}

func (c Config) defaults() Config {
	orElse := func(n *int, otherwise int) {
		if *n == 0 {
			*n = otherwise
		}
	}
	orElse(&c.Writers, 4)
	orElse(&c.Followers, 1)
	orElse(&c.Latecomers, 1)
	if c.Timeout == 0 {
		c.Timeout = 10 * time.Second
	}
	return c
}

// Run does one process's part until ctx ends, or all writers have done Ops things.
// Appends that are under way then come to their end. The error is about the logs
// or the configuration; what the store does wrong is found by [Check].
func Run(ctx context.Context, c Config) error {
	c = c.defaults()
	if c.Store == nil || c.Dir == "" || c.Name == "" {
		return errors.New("history: Config needs Store, Dir and Name")
	}
	reading, stop := context.WithCancel(ctx)
	defer stop()
	var writers, readers sync.WaitGroup
	failed := make(chan error, c.Writers+c.Followers+c.Latecomers)
	start := func(group *sync.WaitGroup, kind string, n int, do func(*log, *rand.Rand, string) error) {
		for i := range n {
			name := fmt.Sprintf("%s-%s%d", c.Name, kind, i)
			random := rand.New(rand.NewPCG(c.Seed, hash(name)))
			group.Go(func() {
				l, err := create(c.Dir, name)
				if err == nil {
					err = errors.Join(do(l, random, name), l.close())
				}
				if err != nil {
					failed <- fmt.Errorf("history: %s: %w", name, err)
					stop()
				}
			})
		}
	}
	start(&readers, "f", c.Followers, func(l *log, _ *rand.Rand, _ string) error {
		return (&reader{store: c.Store, log: l}).follow(reading)
	})
	start(&readers, "l", c.Latecomers, func(l *log, random *rand.Rand, _ string) error {
		return (&reader{store: c.Store, log: l, random: random}).comeLate(reading)
	})
	start(&writers, "w", c.Writers, func(l *log, random *rand.Rand, name string) error {
		return (&writer{Config: c, log: l, random: random, name: name, known: make(map[string]int64), noted: make(map[uuid.UUID]bool)}).run(reading)
	})
	writers.Wait()
	stop()
	readers.Wait()
	close(failed)
	var all error
	for err := range failed {
		all = errors.Join(all, err)
	}
	return all
}

// hash is FNV-1a, so that a name has the same random numbers everywhere.
func hash(name string) uint64 {
	h := uint64(14695981039346656037)
	for _, b := range []byte(name) {
		h = (h ^ uint64(b)) * 1099511628211
	}
	return h
}

// pause waits for d, or for the end of ctx.
func pause(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
