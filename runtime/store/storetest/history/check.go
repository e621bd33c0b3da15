package history

import (
	"errors"
	"fmt"
	"time"
)

// The rules, in the words of the package's comment.
const (
	ruleLost    = "lost"
	ruleGhost   = "ghost"
	ruleTwice   = "twice"
	ruleTorn    = "torn"
	ruleVersion = "version"
	ruleHole    = "hole"
	ruleSkipped = "skipped"
	ruleChanged = "changed"
	ruleStale   = "stale"
	ruleOrder   = "order"
	ruleLinear  = "linear"
	ruleAnswer  = "answer"
	ruleStall   = "stall"

	ruleMissed  = "missed"
	ruleInOrder = "in order"
	ruleTwoAt   = "two at once"
	ruleOnce    = "once"
	ruleLate    = "late"
)

// Options of [Check].
type Options struct {
	// Stall is how long an append to streams of its own may take at most, faults
	// aside. Defaults to any time.
	Stall time.Duration
	// Linear bounds the search for an order of one stream's appends and reads;
	// what is not decided by then is a problem. Defaults to a minute.
	Linear time.Duration
	// Subscriptions are those whose deliveries were written down.
	Subscriptions []Subscription
}

// Check holds the logs in dir against what [Finish] has read. It returns what was
// checked and what is wrong; the error is that of reading the logs.
func Check(dir string, o Options) (Report, error) {
	if o.Linear == 0 {
		o.Linear = time.Minute
	}
	h, err := load(dir)
	if err != nil {
		return Report{}, fmt.Errorf("history: %w", err)
	}
	if !h.finished {
		return Report{}, errors.New("history: " + dir + " holds no final read; call Finish first")
	}
	c := &checker{truth: h, Options: o}
	c.Report.Dir = dir
	c.Report.Problems = append(c.Report.Problems, h.problems...)
	c.stored()
	c.acknowledged()
	c.unknown()
	c.refusals()
	c.linked()
	c.hiding()
	c.holes()
	c.reads()
	c.times()
	c.linear()
	c.stalls()
	for _, s := range o.Subscriptions {
		c.delivered(s)
	}
	c.count()
	return c.Report, nil
}

type checker struct {
	*truth
	Options
	Report Report
	// linkCalls are the links that are there.
	linkCalls []storedAppend
}

func (c *checker) problemf(rule, format string, args ...any) {
	c.Report.Problems = append(c.Report.Problems, Problem{Rule: rule, Text: fmt.Sprintf(format, args...)})
}
