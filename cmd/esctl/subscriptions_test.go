package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/subscribe"
)

// consume plays a process that runs a subscription: consume NAME SETTINGS LANES AT
// [KEY…]. Its lanes are at a place, and the events of the streams KEY are parked.
func consume(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 4 {
		ts.Fatalf("usage: consume NAME SETTINGS LANES AT [KEY...]")
	}
	dsn := ts.Getenv(dsnVariable)
	if file, ok := strings.CutPrefix(dsn, "sqlite:"); ok {
		dsn = "sqlite:" + filepath.Join(ts.Getenv("WORK"), file)
	}
	s := shell{stdout: io.Discard, stderr: io.Discard, settings: settings{verb: "consume", dsn: dsn}}
	ts.Check(s.openOne(context.Background(), func(t target) error { return plays(context.Background(), t, args[0], args[1], args[2:]) }))
}

func plays(ctx context.Context, t target, name, settings string, args []string) error {
	lanes, _ := strconv.Atoi(args[0])
	at, _ := strconv.ParseUint(args[1], 10, 64)
	k := t.Subscriptions()
	if _, err := k.Open(ctx, store.Subscription{Name: name, Settings: settings, Lanes: make([]store.Lane, lanes)}); err != nil {
		return err
	}
	r, err := k.Renew(ctx, store.Member{ID: uuid.New(), Label: "shop 7 on host-1", Lease: time.Hour, Runs: []string{name}})
	if err != nil {
		return err
	}
	for _, lane := range r.Lanes {
		hold := store.Hold{Subscription: name, Lane: lane.Lane, Token: lane.Token}
		if err := k.Report(ctx, hold, ""); err != nil {
			return err
		}
		for e, err := range t.Read(ctx, store.Query{}) {
			if err != nil {
				return err
			}
			if lane.Lane > 0 || !slices.Contains(args[2:], e.Stream) {
				continue
			}
			p := store.Parked{
				Key: e.Stream, At: uint64(e.Position), Stream: e.Stream, Version: e.Version, Position: e.Position,
				EventID: e.ID, Type: e.Type, State: store.ParkedWaiting,
			}
			if e.Version == 1 {
				p.Attempts, p.Error = 10, "no such account\nas this"
			}
			if err := k.Park(ctx, hold, p); err != nil {
				return err
			}
		}
		if at > lane.At {
			if err := k.Advance(ctx, store.Move{Hold: hold, From: lane.At, To: at}); err != nil {
				return err
			}
		}
	}
	return nil
}

func TestAWatchedTerminalShowsTheLastLook(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	width, height := 40, 4
	d := display{shell: shell{stdout: &out}, size: func() (int, int, error) { return width, height, nil }}
	look := func(names ...string) string {
		t.Helper()
		out.Reset()
		all := make([]subscribe.Info, 0, len(names))
		for _, name := range names {
			all = append(all, subscribe.Info{Name: name, State: "live", Reads: "$all"})
		}
		if err := d.show(all, false); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	first := look("a", "b")
	if !strings.HasPrefix(first, "\r\x1b[JSUBSCRIPTION") || strings.Count(first, "\n") != 3 {
		t.Errorf("%q", first)
	}
	for line := range strings.Lines(strings.TrimPrefix(first, "\r\x1b[J")) {
		if n := len([]rune(line)); n > width+1 {
			t.Errorf("%d columns: %q", n, line)
		}
	}
	if got := look("a", "b", "c", "d"); !strings.HasPrefix(got, "\x1b[3A\r\x1b[J") || strings.Count(got, "\n") != 3 {
		t.Errorf("what does not fit: %q", got)
	}
	width, height = 0, 0 // it does not tell
	if got := look("a"); strings.Contains(got, "\x1b") {
		t.Errorf("%q", got)
	}
}

func TestHowFarASubscriptionIsInWords(t *testing.T) {
	t.Parallel()
	for want, got := range map[string]string{
		"≤ 1 200": behind(subscribe.Info{Behind: 1200, AtMost: true}),
		"1 200":   behind(subscribe.Info{Behind: 1200}),
		"0":       behind(subscribe.Info{AtMost: true}),
		"":        age(0),
		"250ms":   age(250*time.Millisecond + time.Microsecond),
		"1h0m1s":  age(time.Hour + time.Second + time.Millisecond),
		"3 days":  age(80 * time.Hour),
		"0.5/s":   rate(subscribe.Info{Rate: .5}),
		"1 234/s": rate(subscribe.Info{Rate: 1234.5}),
		"?":       left(subscribe.Info{Left: -1}),
		"-":       left(subscribe.Info{}),
		"2m0s":    left(subscribe.Info{Left: 2 * time.Minute}),
		"a, b": owners(subscribe.Info{Lanes: []subscribe.LaneInfo{
			{Owner: "a"}, {Owner: "b"}, {}, {Owner: "a"},
		}}),
		"1 of 2": owned(subscribe.Info{Lanes: []subscribe.LaneInfo{{Member: uuid.New()}, {}}}),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	for text, want := range map[string]string{
		"": "0", "origin": "0", "current": "1", "17": "17", "tomorrow": "-to is origin, current, a number or a time such as 2026-01-31 12:00, not tomorrow",
		"-1": "-to is origin, current, a number or a time such as 2026-01-31 12:00, not -1",
	} {
		b, err := parseBeginning(text)
		got := fmt.Sprint(b.of(subscribe.Info{Reads: "$all"}))
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q is %s, want %s", text, got, want)
		}
	}
	b, _ := parseBeginning("17")
	if _, ok := b.of(subscribe.Info{Reads: `stream "bank-1"`}).(subscribe.AfterVersion); !ok {
		t.Error("a stream is counted in positions")
	}
}
