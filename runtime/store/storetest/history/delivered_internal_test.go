package history

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
)

// consumed is the sound history with a subscription s to category a, of a process
// that is killed after two events, and one that goes on.
func consumed() histories {
	h := sound()
	event := func(op int, at int64, position uint64, version int64, n int) record {
		return record{Kind: kindGiven, Time: at, Op: op, Subscription: "s", Key: "a-1", Stream: "a-1", Version: version, From: position, ID: id(n)}
	}
	h["c1"] = []record{
		event(1, 21, 1, 1, 1),
		{Kind: kindHandled, Time: 22, Op: 1, Done: true},
		event(2, 23, 2, 2, 2),
		{Kind: kindHandled, Time: 24, Op: 2},
		event(3, 25, 2, 2, 2),
	}
	h["c2"] = []record{
		event(1, 61, 1, 1, 1),
		{Kind: kindHandled, Time: 62, Op: 1, Done: true},
		event(2, 63, 2, 2, 2),
		{Kind: kindHandled, Time: 64, Op: 2, Done: true},
		event(3, 65, 3, 3, 10),
		{Kind: kindHandled, Time: 70, Op: 3, Done: true},
	}
	h["effects"] = []record{
		{Kind: kindEffect, Subscription: "s", ID: id(1), Count: 1},
		{Kind: kindEffect, Subscription: "s", ID: id(2), Count: 1},
		{Kind: kindEffect, Subscription: "s", ID: id(10), Count: 1},
	}
	return h
}

func ofS() Options {
	return Options{Subscriptions: []Subscription{{Name: "s", Categories: []string{"a"}, Once: true, Late: 25}}}
}

func TestSoundDeliveriesPass(t *testing.T) {
	t.Parallel()
	r := check(t, consumed(), ofS())
	if err := r.Err(); err != nil {
		t.Error(err)
	}
	if r.Given != 6 || r.Handled != 3 || r.Latest != 25 {
		t.Errorf("the report counts %d given, %d handled, the latest after %d", r.Given, r.Handled, r.Latest)
	}
}

func TestEveryRuleOfDeliveriesSeesItsBreach(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rule   string
		doctor func(histories)
	}{
		"an event that nobody handled":   {ruleMissed, func(h histories) { h["c2"][5].Done = false }},
		"an event that nobody was given": {ruleMissed, func(h histories) { h["c2"] = h["c2"][:4] }},
		"an event that is not stored":    {ruleMissed, func(h histories) { h["c2"][4].ID = id(99) }},
		"an event of another place":      {ruleChanged, func(h histories) { h["c2"][4].From = 4 }},
		"the second before the first": {ruleInOrder, func(h histories) {
			h["c1"] = nil
			h["c2"][0].Time, h["c2"][1].Time, h["c2"][2].Time, h["c2"][3].Time = 63, 64, 61, 62
		}},
		"the next while one is under way": {ruleInOrder, func(h histories) { h["c2"][4].Time = 63 }},
		"two processes at once":           {ruleTwoAt, func(h histories) { h["c1"][3].Time = 62; h["c1"] = h["c1"][:4] }},
		"two processes at once, told too late": {ruleTwoAt, func(h histories) {
			h["c1"][3].Time, h["c1"][3].Begin = 80, 62
			h["c1"] = h["c1"][:4]
		}},
		"an effect twice":             {ruleOnce, func(h histories) { h["effects"][1].Count = 2 }},
		"an effect that is not there": {ruleOnce, func(h histories) { h["effects"] = h["effects"][:2] }},
		"an event that waited":        {ruleLate, func(h histories) { h["c2"][4].Time = 66 }},
		"an end without a beginning":  {ruleAnswer, func(h histories) { h["c2"][5].Op = 7 }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := consumed()
			c.doctor(h)
			if r := check(t, h, ofS()); !r.Broken(c.rule) {
				t.Errorf("want a breach of %q, got %v", c.rule, r.Err())
			}
		})
	}
}

// TestALaneThatStandsStillIsLate: one that gives out other events is busy.
func TestALaneThatStandsStillIsLate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		times []int64
		want  int64
	}{
		{nil, 90}, {[]int64{5, 10, 100, 120}, 90}, {[]int64{40, 70}, 30}, {[]int64{11, 99}, 88}, {[]int64{20, 30, 101}, 70},
	} {
		if gap := longestGap(c.times, 10, 100); gap != c.want {
			t.Errorf("from 10 to 100 by %v the longest gap is %d, want %d", c.times, gap, c.want)
		}
	}
	h := consumed()
	h["c2"][4].Time = 66
	o := ofS()
	o.Subscriptions[0].Lane = func(string) int { return 0 }
	if r := check(t, h, o); !r.Broken(ruleLate) {
		t.Errorf("want a breach of %q, got %v", ruleLate, r.Err())
	}
	o.Subscriptions[0].Late = 26
	if err := check(t, h, o).Err(); err != nil {
		t.Error(err)
	}
}

// A process that was stopped knows no better, and one that was told does no harm.
func TestWhoWasStoppedOrToldIsForgiven(t *testing.T) {
	t.Parallel()
	h := consumed()
	h["c1"] = h["c1"][:4]
	h["c1"][3].Time = 75
	h["stopped-1"] = []record{{Kind: kindStopped, Log: "c1", Begin: 23, Time: 74}}
	if err := check(t, h, ofS()).Err(); err != nil {
		t.Errorf("stopped: %v", err)
	}
	h = consumed()
	h["c1"] = h["c1"][:4]
	h["c1"][3].Time, h["c1"][3].Begin = 75, 30
	if err := check(t, h, ofS()).Err(); err != nil {
		t.Errorf("told: %v", err)
	}
	h = consumed()
	h["c2"][4].Time = 66
	h["fault-1"] = []record{{Kind: kindFault, Begin: 50, Time: 51}}
	if err := check(t, h, ofS()).Err(); err != nil {
		t.Errorf("late after a fault: %v", err)
	}
}

// What is written down is what is read.
func TestDeliveriesAreWrittenDown(t *testing.T) {
	t.Parallel()
	h := consumed()
	dir := t.TempDir()
	for _, name := range []string{"w1", "w2", "w3", "f", "l", "final"} {
		l, err := create(dir, name)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range h[name] {
			if err := l.write(r); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.close(); err != nil {
			t.Fatal(err)
		}
	}
	d, err := NewDeliveries(dir, "c")
	if err != nil {
		t.Fatal(err)
	}
	counts := make(map[uuid.UUID]int)
	for i, n := range []int{1, 2, 10} {
		r := store.Recorded{ID: id(n), Stream: "a-1", Version: store.Version(i + 1), Position: store.Position(i + 1)}
		for _, ok := range []bool{false, true} {
			end, err := d.Begin(t.Context(), "s", "a-1", r)
			if err != nil {
				t.Fatal(err)
			}
			if err := end(ok); err != nil {
				t.Fatal(err)
			}
		}
		counts[id(n)] = 1
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if err := Effects(dir, "s", counts); err != nil {
		t.Fatal(err)
	}
	if err := Stopped(dir, "1", "c", Now(), Now()); err != nil {
		t.Fatal(err)
	}
	o := ofS()
	o.Subscriptions[0].Late = time.Duration(0)
	r, err := Check(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Err(); err != nil || r.Given != 6 || r.Handled != 3 {
		t.Errorf("%v; %d given, %d handled", err, r.Given, r.Handled)
	}
}
