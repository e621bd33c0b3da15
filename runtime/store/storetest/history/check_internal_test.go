package history

import (
	"errors"
	"os"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"github.com/esgen/esgen/runtime/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// histories are logs by name.
type histories map[string][]record

// id is that of event n.
func id(n int) uuid.UUID {
	return plus(uuid.MustParse("01900000-0000-7000-8000-000000000000"), uint64(n))
}

func ids(n, count int) []idRun { return []idRun{{id(n), count}} }

// sound is a history in which all is well:
//
//	w1: two events to a-1, then one to a-1 behind them; a conflict
//	w2: an append of unknown outcome to b-1, which was not stored; one that was
//	w3: a stream made and deleted; position 5 is a hole
//	f: followed until all was there
func sound() histories {
	return histories{
		"w1": {
			{Kind: kindIntent, Time: 10, Op: 1, Batches: []batch{{"a-1", 0, ids(1, 2)}}, Alone: true},
			{Kind: kindStored, Time: 20, Op: 1, Appended: []appended{{"a-1", 2, 1, 2, false}}},
			{Kind: kindIntent, Time: 30, Op: 2, Batches: []batch{{"a-1", 2, ids(10, 1)}}},
			{Kind: kindStored, Time: 40, Op: 2, Appended: []appended{{"a-1", 3, 3, 3, false}}},
			{Kind: kindIntent, Time: 50, Op: 3, Batches: []batch{{"a-1", 2, ids(20, 1)}}},
			{Kind: kindRefused, Time: 60, Op: 3, Why: whyConflict, Stream: "a-1", Expected: 2, Version: 3},
			{Kind: kindLooked, Begin: 70, Time: 80, Stream: "a-1", Version: 3},
			{Kind: kindIntent, Time: 82, Op: 4, Batches: []batch{{"a-1", 9, ids(1, 1)}}},
			{Kind: kindRefused, Time: 84, Op: 4, Why: whyDuplicate, ID: id(1), Stream: "a-1", Version: 1},
		},
		"w2": {
			{Kind: kindIntent, Time: 10, Op: 1, Batches: []batch{{"b-1", -1, ids(30, 2)}}},
			{Kind: kindUnknown, Time: 45, Op: 1},
			{Kind: kindIntent, Time: 46, Op: 2, Batches: []batch{{"b-1", -1, ids(40, 1)}, {"c-1", 0, ids(45, 1)}}},
			{Kind: kindUnknown, Time: 90, Op: 2},
		},
		"w3": {
			{Kind: kindIntent, Time: 41, Op: 1, Batches: []batch{{"doomed-1", 0, ids(50, 1)}}},
			{Kind: kindStored, Time: 43, Op: 1, Appended: []appended{{"doomed-1", 1, 4, 4, false}}},
			{Kind: kindIntent, Time: 44, Op: 2, Delete: "doomed-1"},
			{Kind: kindStored, Time: 45, Op: 2},
		},
		"f": {
			{Kind: kindRead, Begin: 5, Time: 42, From: 1, Follows: true, Done: true, Seen: []run{{1, "a-1", 1, id(1), 2}, {3, "a-1", 3, id(10), 1}}},
			{Kind: kindRead, Begin: 43, Time: 99, From: 4, Follows: true, Done: true, Seen: []run{{4, "doomed-1", 1, id(50), 1}, {5, "b-1", 1, id(40), 1}, {6, "c-1", 1, id(45), 1}}},
		},
		"l": {
			{Kind: kindRead, Begin: 91, Time: 92, Category: "b", From: 1, Seen: []run{{5, "b-1", 1, id(40), 1}}},
			{Kind: kindRead, Begin: 91, Time: 92, Stream: "a-1", Backward: true, Seen: []run{{3, "a-1", 3, id(10), 1}, {2, "a-1", 2, id(2), 1}}},
		},
		"final": {
			{Kind: kindFinal, Done: true, Why: "dense", Seen: []run{
				{1, "a-1", 1, id(1), 2}, {3, "a-1", 3, id(10), 1}, {5, "b-1", 1, id(40), 1}, {6, "c-1", 1, id(45), 1},
			}},
		},
	}
}

func check(t *testing.T, h histories, o Options) Report {
	t.Helper()
	dir := t.TempDir()
	for name, records := range h {
		l, err := create(dir, name)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range records {
			if err := l.write(r); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.close(); err != nil {
			t.Fatal(err)
		}
	}
	r, err := Check(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestSoundHistoryPasses(t *testing.T) {
	t.Parallel()
	r := check(t, sound(), Options{Stall: 15})
	if err := r.Err(); err != nil {
		t.Error(err)
	}
	if r.Stored != 3 || r.Refused != 2 || r.Unknown != 2 || r.Resolved != 1 || r.Events != 5 || r.Seen != 9 || r.Linear != 6 || r.Longest != 10 {
		t.Errorf("the report counts %+v", r)
	}
}

// Each is the sound history with one thing changed, and the rule that must see it.
func TestEveryRuleSeesItsBreach(t *testing.T) {
	t.Parallel()
	final := func(h histories, seen ...run) { h["final"][0].Seen = seen }
	for name, c := range map[string]struct {
		rule   string
		doctor func(h histories)
	}{
		"an acknowledged event is not stored": {ruleLost, func(h histories) {
			final(h, run{1, "a-1", 1, id(1), 2}, run{5, "b-1", 1, id(40), 1}, run{6, "c-1", 1, id(45), 1})
		}},
		"the end of a batch is not stored": {ruleLost, func(h histories) {
			final(h, run{1, "a-1", 1, id(1), 1}, run{3, "a-1", 3, id(10), 1}, run{5, "b-1", 1, id(40), 1}, run{6, "c-1", 1, id(45), 1})
		}},
		"another version was acknowledged": {ruleLost, func(h histories) { h["w1"][3].Appended[0].Version = 4 }},
		"another position was acknowledged": {ruleLost, func(h histories) {
			h["w1"][3].Appended[0].First, h["w1"][3].Appended[0].Last = 4, 4
		}},
		"another last position was acknowledged": {ruleLost, func(h histories) { h["w1"][1].Appended[0].Last = 3 }},
		"stored in another stream": {ruleLost, func(h histories) {
			final(h, run{1, "a-1", 1, id(1), 2}, run{3, "z-1", 1, id(10), 1}, run{5, "b-1", 1, id(40), 1}, run{6, "c-1", 1, id(45), 1})
		}},
		"a refused event is stored": {ruleGhost, func(h histories) {
			h["final"][0].Seen = append(h["final"][0].Seen, run{7, "a-1", 4, id(20), 1})
		}},
		"a rolled back event is stored": {ruleGhost, func(h histories) {
			h["w2"][3] = record{Kind: kindRefused, Time: 90, Op: 2, Why: whyRollback}
		}},
		"a conflict settled an unknown outcome, and it is stored": {ruleGhost, func(h histories) {
			h["w2"][2].Batches = []batch{{"b-1", 0, ids(40, 1)}}
			h["w2"] = append(h["w2"], h["w2"][2], record{Kind: kindRefused, Time: 95, Op: 2, Why: whyConflict, Stream: "b-1", Expected: 0, Version: 1})
		}},
		"nobody appended it": {ruleGhost, func(h histories) {
			h["final"][0].Seen = append(h["final"][0].Seen, run{7, "x-1", 1, id(99), 1})
		}},
		"stored twice": {ruleTwice, func(h histories) {
			h["final"][0].Seen = append(h["final"][0].Seen, run{7, "b-1", 2, id(40), 1})
		}},
		"the position of a deleted event is given again": {ruleTwice, func(h histories) {
			final(h, run{1, "a-1", 1, id(1), 2}, run{3, "a-1", 3, id(10), 1}, run{4, "b-1", 1, id(40), 1}, run{5, "c-1", 1, id(45), 1})
			h["f"][1].Seen, h["l"] = nil, nil
		}},
		"two deleted events had one position": {ruleTwice, func(h histories) {
			h["f"][1].Seen[0].ID = id(51)
		}},
		"half of an append of two streams is stored": {ruleTorn, func(h histories) {
			final(h, run{1, "a-1", 1, id(1), 2}, run{3, "a-1", 3, id(10), 1}, run{5, "b-1", 1, id(40), 1})
			h["f"][1].Seen = h["f"][1].Seen[:2]
		}},
		"an append of unknown outcome is stored where it was not to be": {ruleTorn, func(h histories) { h["w2"][2].Batches[1].Expected = 7 }},
		"a version is missing": {ruleVersion, func(h histories) {
			h["final"][0].Seen[1].Version = 4
		}},
		"versions in another order than positions": {ruleVersion, func(h histories) {
			final(h, run{1, "a-1", 2, id(2), 1}, run{2, "a-1", 1, id(1), 1}, run{3, "a-1", 3, id(10), 1}, run{5, "b-1", 1, id(40), 1}, run{6, "c-1", 1, id(45), 1})
		}},
		"a hole": {ruleHole, func(h histories) {
			h["w3"], h["f"][1].Seen = nil, nil
			h["l"] = nil
		}},
		"a follower skipped": {ruleSkipped, func(h histories) { h["f"][0].Seen = h["f"][0].Seen[1:] }},
		"a follower skipped between reads": {ruleSkipped, func(h histories) {
			h["f"][1].Seen = h["f"][1].Seen[2:]
		}},
		"a follower saw twice": {ruleSkipped, func(h histories) {
			h["f"][1].Seen = append([]run{{3, "a-1", 3, id(10), 1}}, h["f"][1].Seen...)
		}},
		"a reader of a category skipped": {ruleSkipped, func(h histories) {
			h["l"][0].Category, h["l"][0].Seen = "a", []run{{1, "a-1", 1, id(1), 1}, {3, "a-1", 3, id(10), 1}}
		}},
		"a backward reader skipped": {ruleSkipped, func(h histories) {
			h["l"][1].Seen = []run{{3, "a-1", 3, id(10), 1}, {1, "a-1", 1, id(1), 1}}
		}},
		"a reader saw another event": {ruleChanged, func(h histories) { h["f"][0].Seen[1].ID = id(11) }},
		"a reader saw what is not there": {ruleChanged, func(h histories) {
			h["f"][1].Seen = append(h["f"][1].Seen, run{7, "b-1", 2, id(31), 1})
		}},
		"a reader saw what was altered": {ruleChanged, func(h histories) {
			h["f"] = append(h["f"], record{Kind: kindProblem, Why: ruleChanged, Text: garbled(store.Recorded{Type: eventType, Data: []byte(`{}`)})})
		}},
		"a read did not see what was acknowledged": {ruleStale, func(h histories) {
			h["l"] = append(h["l"], record{Kind: kindRead, Begin: 91, Time: 92, From: 1, Done: true, Seen: []run{{1, "a-1", 1, id(1), 2}}})
		}},
		"an empty read did not see what was acknowledged": {ruleStale, func(h histories) {
			h["l"] = append(h["l"], record{Kind: kindRead, Begin: 91, Time: 92, From: 2, Done: true})
		}},
		"a later append stands before": {ruleOrder, func(h histories) {
			final(h, run{1, "a-1", 1, id(1), 2}, run{3, "b-1", 1, id(40), 1}, run{4, "c-1", 1, id(45), 1}, run{5, "a-1", 3, id(10), 1})
			h["f"], h["l"], h["w3"] = nil, nil, nil
			h["w1"][3].Appended[0].First, h["w1"][3].Appended[0].Last = 5, 5
			h["w2"][3] = record{Kind: kindStored, Time: 90, Op: 2, Appended: []appended{{"b-1", 1, 3, 3, false}, {"c-1", 1, 4, 4, false}}}
		}},
		"a conflict at a version that never was": {ruleLinear, func(h histories) { h["w1"][5].Version = 4 }},
		"a conflict without reason": {ruleLinear, func(h histories) {
			h["w1"][4].Batches[0].Expected, h["w1"][5].Expected = 3, 3
		}},
		"a look into the past": {ruleLinear, func(h histories) { h["w1"][6].Version = 2 }},
		"two appends took the same version": {ruleLinear, func(h histories) {
			h["w4"] = []record{
				{Kind: kindIntent, Time: 10, Op: 1, Batches: []batch{{"a-1", 2, ids(60, 1)}}},
				{Kind: kindStored, Time: 100, Op: 1, Appended: []appended{{"a-1", 3, 7, 7, false}}},
			}
			h["final"][0].Seen = append(h["final"][0].Seen, run{7, "a-1", 3, id(60), 1})
		}},
		"answers for fewer streams":               {ruleAnswer, func(h histories) { h["w1"][1].Appended = nil }},
		"an answer for another stream":            {ruleAnswer, func(h histories) { h["w1"][1].Appended[0].Stream = "b-1" }},
		"an answer against the expectation":       {ruleAnswer, func(h histories) { h["w1"][2].Batches[0].Expected = 1 }},
		"an answer without positions":             {ruleAnswer, func(h histories) { h["w1"][1].Appended[0].First = 0 }},
		"a duplicate of nothing":                  {ruleAnswer, func(h histories) { h["w1"][1].Appended[0].Duplicate = true }},
		"an error of no kind":                     {ruleAnswer, func(h histories) { h["w1"][5].Why = whyOther }},
		"refused as a duplicate of nothing":       {ruleAnswer, func(h histories) { h["w1"][8].ID = id(20) }},
		"refused as a duplicate at another place": {ruleAnswer, func(h histories) { h["w1"][8].Version = 2 }},
		"refused as a duplicate of itself": {ruleAnswer, func(h histories) {
			h["w2"] = append(h["w2"], h["w2"][2], record{Kind: kindRefused, Time: 95, Op: 2, Why: whyDuplicate, ID: id(40)})
		}},
		"a lone append waited": {ruleStall, func(h histories) { h["w1"][0].Time = 1 }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := sound()
			c.doctor(h)
			if r := check(t, h, Options{Stall: 15}); !r.Broken(c.rule) {
				t.Errorf("want a breach of %q, got %v", c.rule, r.Err())
			}
		})
	}
}

func TestStallsInFaultsAreNone(t *testing.T) {
	t.Parallel()
	h := sound()
	h["fault-1"] = []record{{Kind: kindFault, Begin: 12, Time: 14}}
	if err := check(t, h, Options{Stall: 5}).Err(); err != nil {
		t.Error(err)
	}
}

func TestUnsettledAppendsMayBeStoredOrNot(t *testing.T) {
	t.Parallel()
	h := sound()
	// Killed before the answer, and what a conflict below the expected version
	// leaves open.
	h["w4"] = []record{
		{Kind: kindIntent, Time: 10, Op: 1, Batches: []batch{{"d-1", 4, ids(70, 2)}}},
		{Kind: kindUnknown, Time: 20, Op: 1},
		{Kind: kindIntent, Time: 21, Op: 1, Batches: []batch{{"d-1", 4, ids(70, 2)}}},
		{Kind: kindRefused, Time: 22, Op: 1, Why: whyConflict, Stream: "d-1", Expected: 4, Version: 0},
		{Kind: kindIntent, Time: 30, Op: 2, Batches: []batch{{"d-1", 0, ids(80, 4)}}},
	}
	for stored, seen := range map[string][]run{
		"none": nil,
		"last": {{7, "d-1", 1, id(80), 4}},
		"both": {{7, "d-1", 1, id(80), 4}, {11, "d-1", 5, id(70), 2}},
	} {
		with := sound()
		with["w4"] = h["w4"]
		with["final"][0].Seen = append(with["final"][0].Seen, seen...)
		if err := check(t, with, Options{}).Err(); err != nil {
			t.Errorf("%s stored: %v", stored, err)
		}
	}
}

// Ids that were refused before, and an answer that says duplicate where only the
// first try can have stored them.
func TestDuplicateOfOnesOwnFirstTryIsAnAppend(t *testing.T) {
	t.Parallel()
	h := sound()
	again := []batch{{"a-1", -1, []idRun{{id(20), 1}, {id(25), 1}}}}
	h["w1"] = append(h["w1"],
		record{Kind: kindIntent, Time: 90, Op: 5, Batches: again},
		record{Kind: kindUnknown, Time: 91, Op: 5},
		record{Kind: kindIntent, Time: 92, Op: 5, Batches: again},
		record{Kind: kindStored, Time: 93, Op: 5, Appended: []appended{{"a-1", 5, 7, 8, true}}},
		record{Kind: kindLooked, Begin: 94, Time: 95, Stream: "a-1", Version: 5},
		// And an answer that says it of somebody else's.
		record{Kind: kindIntent, Time: 96, Op: 6, Batches: again},
		record{Kind: kindStored, Time: 97, Op: 6, Appended: []appended{{"a-1", 5, 7, 8, true}}},
	)
	h["final"][0].Seen = append(h["final"][0].Seen, run{7, "a-1", 4, id(20), 1}, run{8, "a-1", 5, id(25), 1})
	if err := check(t, h, Options{}).Err(); err != nil {
		t.Error(err)
	}
}

func TestCheckNeedsAFinalReadAndWholeLines(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := Check(dir, Options{}); err == nil {
		t.Error("a directory without a final read passed")
	}
	l, err := create(dir, "final")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(l.write(record{Kind: kindFinal, Done: true}), l.close()); err != nil {
		t.Fatal(err)
	}
	// What a killed process left of its last line.
	if err := os.WriteFile(dir+"/w1.jsonl", []byte(`{"k":"intent","t":1,"op":1,"b":[{"s":"a`), 0o600); err != nil {
		t.Fatal(err)
	}
	if r, err := Check(dir, Options{}); err != nil || r.Err() != nil {
		t.Errorf("a torn last line: %v, %v", err, r.Err())
	}
	if err := os.WriteFile(dir+"/w2.jsonl", []byte("nonsense\n{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Check(dir, Options{}); err == nil {
		t.Error("a line of nonsense passed")
	}
}

func TestRunsKeepWhatTheyMerge(t *testing.T) {
	t.Parallel()
	first, err := newIDs()
	if err != nil {
		t.Fatal(err)
	}
	events := []seen{
		{1, "a-1", 1, first},
		{2, "a-1", 2, after(first)},
		{3, "a-1", 3, after(after(first))},
		{5, "a-1", 4, plus(first, 3)},
		{6, "a-1", 5, plus(first, 5)},
		{7, "b-1", 6, plus(first, 6)},
		{8, "b-1", 8, plus(first, 7)},
	}
	var runs []run
	for _, e := range events {
		runs = add(runs, e)
	}
	if len(runs) != 5 {
		t.Errorf("%d runs, want 5: %+v", len(runs), runs)
	}
	i := 0
	for _, r := range runs {
		r.each(func(e seen) {
			if e != events[i] {
				t.Errorf("event %d is %s, was %s", i, e, events[i])
			}
			i++
		})
	}
	if i != len(events) {
		t.Errorf("%d events, want %d", i, len(events))
	}
}

func TestSearchIsBounded(t *testing.T) {
	t.Parallel()
	// Many concurrent appends whose order has to be found.
	h := histories{"final": {{Kind: kindFinal, Done: true, Why: "dense"}}, "w": nil}
	for i := range 200 {
		h["w"] = append(h["w"], record{Kind: kindIntent, Time: int64(i + 1), Op: i + 1, Batches: []batch{{"a-1", -1, ids(10*i, 1)}}})
	}
	for i := range 200 {
		h["w"] = append(h["w"], record{Kind: kindStored, Time: int64(1000 - i), Op: i + 1, Appended: []appended{{"a-1", int64(200 - i), uint64(200 - i), uint64(200 - i), false}}})
		h["final"][0].Seen = append(h["final"][0].Seen, run{uint64(i + 1), "a-1", int64(i + 1), id(10 * (199 - i)), 1})
	}
	begin := time.Now()
	if err := check(t, h, Options{Linear: 10 * time.Second}).Err(); err != nil {
		t.Errorf("after %s: %v", time.Since(begin), err)
	}
}
