package subscribe_test

import (
	"context"
	"testing"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
	"github.com/esgen/esgen/runtime/subscribe"
)

// BenchmarkCatchUp is the cost of one event to a handler that does nothing.
func BenchmarkCatchUp(b *testing.B) {
	db := memory.New(memory.Config{})
	events := make([]store.Event, 1000)
	for i := range events {
		events[i] = store.Event{Type: "counted", Format: store.JSON, Data: []byte(`{}`)}
	}
	const batches = 100
	for range batches {
		if _, err := db.Append(b.Context(), store.Batch{Stream: "bench-1", Expected: store.Any, Events: events}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		ctx, cancel := context.WithCancel(b.Context())
		handled := 0
		sub, err := subscribe.New(db, "bench-"+string(rune('a'+n%26))+b.Name()+itoa(n), func(context.Context, store.Recorded) error {
			if handled++; handled == batches*len(events) {
				cancel()
			}
			return nil
		}, subscribe.Config{})
		if err != nil {
			b.Fatal(err)
		}
		_ = sub.Run(ctx)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batches*len(events)), "ns/event")
}
func itoa(n int) string {
	return string([]byte{byte('0' + n/100%10), byte('0' + n/10%10), byte('0' + n%10)})
}
