package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/subscribe"
)

// watch shows subscriptions until ctx ends, which is no error. A terminal shows the
// last look; elsewhere they follow one another.
func (s shell) watch(ctx context.Context, t target, every time.Duration, limit int, names []string) error {
	live := display{shell: s}
	if file := terminal(s.stdout); file != nil && !s.json {
		live.size = func() (int, int, error) { return term.GetSize(int(file.Fd())) }
	}
	looks, away := 0, false
	for all, err := range subscribe.Watch(ctx, t, every, names...) {
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && store.Retryable(err):
			if !away {
				s.notef("esctl: %v; trying again", err)
				live.lines = 0 // they stay above that
			}
			away = true
			continue
		case err != nil:
			return err
		}
		away = false
		if err := live.show(all, len(names) > 0); err != nil {
			return err
		}
		if looks++; looks == limit {
			return nil
		}
	}
	return nil
}

// display is where looks are shown.
type display struct {
	shell
	// size is nil if it is no terminal. It may change under way.
	size func() (width, height int, err error)
	// lines of the last look, and whether there was one.
	lines int
	used  bool
}

func (s *display) show(all []subscribe.Info, one bool) error {
	if s.json {
		for _, info := range all {
			v := struct {
				Time time.Time `json:"time"`
				subscription
			}{time.Now().UTC(), subscriptionOf(info, true)}
			if err := s.object(v); err != nil {
				return err
			}
		}
		return nil
	}
	var b bytes.Buffer
	parts := []*table{listing(all, true)}
	if one {
		parts = showing(all[0], true)
	}
	for _, part := range parts {
		part.print(&b)
	}
	width, height := 0, 0
	if s.size != nil {
		width, height, _ = s.size() // 0 if it does not tell
	}
	if height == 0 {
		if s.used {
			s.printf("")
		}
		s.used = true
		s.printf("%s", time.Now().UTC().Format(time.DateTime))
		_, err := s.stdout.Write(b.Bytes())
		return err
	}
	_, err := s.stdout.Write(s.frame(b.String(), width, height))
	return err
}

// frame replaces the lines of the last look. What does not fit is cut off: a terminal
// that scrolls would lose the place to go back to.
func (s *display) frame(text string, width, height int) []byte {
	var b bytes.Buffer
	if s.lines > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", s.lines)
	}
	b.WriteString("\r\x1b[J")
	s.lines = 0
	for line := range strings.Lines(text) {
		if s.lines == height-1 {
			break
		}
		b.WriteString(cut(strings.TrimSuffix(line, "\n"), width))
		b.WriteByte('\n')
		s.lines++
	}
	return b.Bytes()
}
