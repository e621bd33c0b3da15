package subscribe_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
	"github.com/esgen/esgen/runtime/subscribe"
)

// BenchmarkCatchUp is the cost of one event to a handler that does nothing.
func BenchmarkCatchUp(b *testing.B) {
	const events = 100_000
	db := memory.New(memory.Config{})
	for range events / 1000 {
		appendTo(b, db, "bench-1", 1000)
	}
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		ctx, cancel := context.WithCancel(b.Context())
		handled := 0
		sub := newSubscription(b, db, fmt.Sprint("bench-", n), func(context.Context, store.Recorded) error {
			if handled++; handled == events {
				cancel()
			}
			return nil
		}, subscribe.Config{})
		if err := sub.Run(ctx); !errors.Is(err, context.Canceled) {
			b.Fatal(err)
		}
		cancel()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*events), "ns/event")
}
