package subscribe

import (
	"testing"

	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
)

// TestLanesOfThisProcessAreWaitedForWithoutTheStore moves a lane whose checkpoint
// stays behind for ever.
func TestLanesOfThisProcessAreWaitedForWithoutTheStore(t *testing.T) {
	t.Parallel()
	db := memory.New(memory.Config{})
	sub, err := db.Subscriptions().Open(t.Context(), store.Subscription{Name: "s", Settings: "$all; 1 lane by stream", Lanes: make([]store.Lane, 1)})
	if err != nil {
		t.Fatal(err)
	}
	events := make([]store.Event, 3)
	for i := range events {
		events[i] = store.Event{ID: uuid.New(), Type: "x", Format: store.JSON, Data: []byte("{}")}
	}
	appended, err := db.Append(t.Context(), store.Batch{Stream: "bank-1", Events: events})
	if err != nil {
		t.Fatal(err)
	}
	here := standingsOf(db.Local())
	own := func(at uint64) *standing {
		l := sub.Lanes[0]
		l.At = at
		return here.own(l)
	}
	lane := own(1)
	lane.inFlight.Store(2)
	info, err := Find(t.Context(), db, "s")
	if err != nil || info.At != 1 || info.InFlight != 2 || !info.Lanes[0].Here || info.State != "catching up" || info.Behind != 2 {
		t.Errorf("%+v, %v", info, err)
	}
	waited := make(chan error, 1)
	go func() { waited <- WaitFor(t.Context(), db, "s", appended...) }()
	lane.moveTo(2)
	select {
	case err := <-waited:
		t.Fatalf("at 2 it came back: %v", err)
	default:
	}
	lane.moveTo(3)
	if err := <-waited; err != nil {
		t.Error(err)
	}
	if n := here.waiting.Load(); n != 0 {
		t.Errorf("%d wait still", n)
	}
	again := own(3)
	here.leave("s", 0, lane) // comes late
	if here.find(sub.Lanes[0]) != again {
		t.Error("who left last has taken the lane from its owner")
	}
	here.leave("s", 0, again)
	if here.find(sub.Lanes[0]) != nil {
		t.Error("a lane is here that was left")
	}
}

func TestStandingsCostNothingWhileNobodyWaits(t *testing.T) { //nolint:paralleltest // it counts allocations
	lane := standingsOf(new(store.Local)).own(store.Lane{})
	at := uint64(0)
	if n := testing.AllocsPerRun(100, func() { at++; lane.moveTo(at) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
