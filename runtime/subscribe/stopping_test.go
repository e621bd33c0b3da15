package subscribe_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
	"github.com/esgen/esgen/runtime/subscribe"
)

// When one lane ends the run, the contexts of the handlers of the others end. That
// they return an error then is no failure of theirs: nothing is skipped.
func TestWhatFailsBecauseAnotherLaneHasStoppedIsNotSkipped(t *testing.T) {
	t.Parallel()
	db := memory.New(memory.Config{})
	const lanes = 64
	for i := range 10 * lanes {
		appendTo(t, db, fmt.Sprintf("bank-%d", i), 1)
	}
	var busy atomic.Int64
	h := func(ctx context.Context, _ store.Recorded) error {
		if busy.Add(1) == lanes {
			return subscribe.Stop(errSick)
		}
		<-ctx.Done()
		return ctx.Err()
	}
	c := subscribe.Config{Lanes: lanes, Retry: subscribe.Retry{Attempts: 1}, OnFailure: subscribe.ThenSkip}
	err := run(t, newSubscription(t, db, "halted", h, c)).result(t)
	if !errors.Is(err, errSick) {
		t.Errorf("it ended with %v", err)
	}
	if skipped := parkedIn(t, db, "halted", store.ParkedSkipped); len(skipped) > 0 {
		t.Errorf("%d events were skipped, of which nobody said that they are to be", len(skipped))
	}
}
