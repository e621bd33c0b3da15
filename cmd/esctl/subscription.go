package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/subscribe"
)

// subscription is what programs are told of one.
type subscription struct {
	Subscription  string    `json:"subscription"`
	Reads         string    `json:"reads"`
	Settings      string    `json:"settings"`
	State         string    `json:"state"`
	Paused        bool      `json:"paused"`
	Created       time.Time `json:"created"`
	At            uint64    `json:"at"`
	Head          uint64    `json:"head"`
	Behind        uint64    `json:"behind"`
	AtMost        bool      `json:"behind_at_most"`
	BehindSeconds float64   `json:"behind_seconds"`
	Parked        int       `json:"parked"`
	// Rate and LeftSeconds are known to -watch only; the latter also then not always.
	Rate        *float64 `json:"rate,omitempty"`
	LeftSeconds *float64 `json:"left_seconds,omitempty"`
	Lanes       []lane   `json:"lanes"`
}

type lane struct {
	Lane    int        `json:"lane"`
	At      uint64     `json:"at"`
	Behind  uint64     `json:"behind"`
	Owner   string     `json:"owner,omitempty"`
	Member  *uuid.UUID `json:"member,omitempty"`
	Expires time.Time  `json:"expires,omitzero"`
	Error   string     `json:"error,omitempty"`
	Since   time.Time  `json:"error_since,omitzero"`
	Changed time.Time  `json:"changed"`
}

func subscriptionOf(i subscribe.Info, watched bool) subscription {
	v := subscription{
		Subscription: i.Name, Reads: i.Reads, Settings: i.Settings, State: i.State, Paused: i.Paused, Created: i.Created,
		At: i.At, Head: i.Head, Behind: i.Behind, AtMost: i.AtMost, BehindSeconds: i.BehindTime.Seconds(), Parked: i.Parked,
		Lanes: make([]lane, len(i.Lanes)),
	}
	if watched {
		v.Rate = &i.Rate
		if left := i.Left.Seconds(); left >= 0 {
			v.LeftSeconds = &left
		}
	}
	for n, l := range i.Lanes {
		v.Lanes[n] = lane{
			Lane: l.Lane, At: l.At, Behind: l.Behind, Owner: l.Owner, Member: optional(l.Member),
			Error: l.Error, Since: l.ErrorSince, Changed: l.Changed,
		}
		if l.Member != uuid.Nil {
			v.Lanes[n].Expires = l.Expires
		}
	}
	return v
}

// look shows all subscriptions, or one.
func (s shell) look(ctx context.Context, t target, names []string) error {
	var all []subscribe.Info
	var err error
	if len(names) == 0 {
		all, err = subscribe.List(ctx, t)
	} else {
		var info subscribe.Info
		info, err = subscribe.Find(ctx, t, names[0])
		all = append(all, info)
	}
	if err != nil {
		return err
	}
	if s.json {
		for _, info := range all {
			if err := s.object(subscriptionOf(info, false)); err != nil {
				return err
			}
		}
		return nil
	}
	if len(names) == 0 {
		listing(all, false).print(s.stdout)
		return nil
	}
	for _, part := range showing(all[0], false) {
		part.print(s.stdout)
	}
	return nil
}

// listing is a line for each.
func listing(all []subscribe.Info, watched bool) *table {
	var t table
	head := []string{"SUBSCRIPTION", "STATE", "AT", "BEHIND", "FOR", "LANES", "PARKED"}
	if watched {
		head = append(head, "RATE", "LEFT")
	}
	t.row(append(head, "READS")...)
	for _, i := range all {
		row := []string{i.Name, i.State, group(i.At), behind(i), age(i.BehindTime), owned(i), group(i.Parked)}
		if watched {
			row = append(row, rate(i), left(i))
		}
		t.row(append(row, i.Reads)...)
	}
	return &t
}

// showing is all there is to say of one: a table of what it is, and one of its lanes.
func showing(i subscribe.Info, watched bool) []*table {
	var what, lanes table
	add := func(name, value string) {
		if value != "" {
			what.row(name, value)
		}
	}
	add("subscription", i.Name)
	add("state", i.State)
	add("reads", i.Settings)
	add("at", group(i.At)+" of "+group(i.Head))
	add("behind", strings.TrimSpace(behind(i)+" "+strings.TrimSpace("for "+age(i.BehindTime))))
	if watched {
		add("rate", rate(i))
		add("left", left(i))
	}
	add("parked", group(i.Parked))
	if i.LastError != "" {
		add("error", fmt.Sprintf("lane %d since %s: %s", i.LastErrorLane, i.LastErrorSince.UTC().Format(time.DateTime), i.LastError))
	}
	add("created", i.Created.UTC().Format(time.DateTime))
	what.row("")
	lanes.row("LANE", "AT", "BEHIND", "CHANGED", "OWNER", "ERROR")
	for _, l := range i.Lanes {
		lanes.row(strconv.Itoa(l.Lane), group(l.At), group(l.Behind), l.Changed.UTC().Format(time.DateTime), or(l.Owner, "-"), l.Error)
	}
	return []*table{&what, &lanes}
}

func behind(i subscribe.Info) string {
	if i.AtMost && i.Behind > 0 {
		return "≤ " + group(i.Behind)
	}
	return group(i.Behind)
}

// age is a duration as people say it, empty for none.
func age(d time.Duration) string {
	switch {
	case d <= 0:
		return ""
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < 48*time.Hour:
		return d.Round(time.Second).String()
	default:
		return count(int64(d/(24*time.Hour)), "day")
	}
}

// owned says how many lanes have an owner.
func owned(i subscribe.Info) string {
	n := 0
	for _, l := range i.Lanes {
		if l.Member != uuid.Nil {
			n++
		}
	}
	return strconv.Itoa(n) + " of " + strconv.Itoa(len(i.Lanes))
}

// owners are the labels of those who have a lane.
func owners(i subscribe.Info) string {
	var labels []string
	for _, l := range i.Lanes {
		if l.Owner != "" && !slices.Contains(labels, l.Owner) {
			labels = append(labels, l.Owner)
		}
	}
	return strings.Join(labels, ", ")
}

func rate(i subscribe.Info) string {
	if i.Rate < 10 {
		return strconv.FormatFloat(i.Rate, 'f', 1, 64) + "/s"
	}
	return group(int64(i.Rate)) + "/s"
}

func left(i subscribe.Info) string {
	switch {
	case i.Left < 0:
		return "?"
	case i.Left == 0:
		return "-"
	default:
		return age(i.Left)
	}
}
