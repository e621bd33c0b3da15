package main

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/esgen/esgen/internal/pgtest"
)

// screen is what a program has written so far.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// shows waits until the program has written text.
func (s *screen) shows(t *testing.T, text string) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(20 * time.Second); !strings.Contains(s.String(), text); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("waited 20 s in vain for %q, got %q", text, s)
		}
	}
}

// esctl runs the program and returns its exit code.
func esctl(ctx context.Context, dsn, stdin string, stdout, stderr *screen, args ...string) int {
	s := shell{stdin: strings.NewReader(stdin), stdout: stdout, stderr: stderr, getenv: func(string) string { return dsn }}
	return s.run(ctx, args)
}

func succeed(t *testing.T, dsn, stdin string, args ...string) string {
	t.Helper()
	var stdout, stderr screen
	if code := esctl(t.Context(), dsn, stdin, &stdout, &stderr, args...); code != done {
		t.Fatalf("esctl %s: exit %d, %s", strings.Join(args, " "), code, &stderr)
	}
	return stdout.String()
}

func eventLine(stream, kind string) string {
	return `{"stream":"` + stream + `","id":"` + uuid.NewString() + `","type":"` + kind + `","data":{}}` + "\n"
}

// tailing runs tail until end is called, which returns its exit code.
func tailing(t *testing.T, dsn string, stdout, stderr *screen, args ...string) (end func() int) {
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	code := make(chan int, 1)
	go func() {
		code <- esctl(ctx, dsn, "", stdout, stderr, append([]string{"tail", "-poll", "5ms"}, args...)...)
	}()
	stderr.shows(t, "following")
	return func() int {
		cancel()
		return <-code
	}
}

func TestTailShowsWhatIsAppendedAfterItStarted(t *testing.T) {
	t.Parallel()
	dsn := "sqlite:" + t.TempDir() + "/a.db"
	succeed(t, dsn, "", "create")
	succeed(t, dsn, eventLine("a-1", "early")+eventLine("a-1", "early"), "append", "-")

	var all, notes, one, oneNotes, some, someNotes screen
	ends := []func() int{
		tailing(t, dsn, &all, &notes),
		tailing(t, dsn, &one, &oneNotes, "b-1"), // which is not there yet
		tailing(t, dsn, &some, &someNotes, "-type", "third", "-json"),
	}
	succeed(t, dsn, eventLine("a-1", "first")+eventLine("b-1", "second"), "append", "-")
	all.shows(t, "second")
	one.shows(t, "second")
	succeed(t, dsn, eventLine("a-1", "third")+eventLine("b-1", "fourth"), "append", "-")
	all.shows(t, "fourth")
	one.shows(t, "fourth")
	some.shows(t, `"position":5,"stream":"a-1","version":4`)
	for _, end := range ends {
		if code := end(); code != done {
			t.Errorf("interrupted, it exits with %d", code)
		}
	}
	if text := all.String(); strings.Contains(text, "early") || strings.Count(text, "\n") != 5 {
		t.Errorf("all:\n%s", text)
	}
	if text := one.String(); strings.Contains(text, "a-1") || strings.Count(text, "\n") != 3 {
		t.Errorf("b-1:\n%s", text)
	}
	if text := some.String(); strings.Count(text, "\n") != 1 {
		t.Errorf("third:\n%s", text)
	}
	if !strings.Contains(notes.String(), "followed 4 events") {
		t.Errorf("notes:\n%s", &notes)
	}
}

func TestTailGoesOnWhenTheDatabaseComesBack(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t, pgtest.Options{})
	dsn := server.URL()
	succeed(t, dsn, "", "create")
	var out, notes screen
	end := tailing(t, dsn, &out, &notes)
	succeed(t, dsn, eventLine("a-1", "before"), "append", "-")
	out.shows(t, "before")
	server.Stop(pgtest.Fast)
	notes.shows(t, "trying again")
	server.Restart()
	succeed(t, dsn, eventLine("a-1", "after"), "append", "-")
	out.shows(t, "after")
	notes.shows(t, "going on")
	if code := end(); code != done {
		t.Errorf("exit %d, %s", code, &notes)
	}
	if strings.Count(out.String(), "\n") != 3 {
		t.Errorf("an event stands twice, or is missing:\n%s", &out)
	}
}

// An append that is interrupted has appended whole lines, and goes on when it is
// called again.
func TestAnInterruptedAppendGoesOn(t *testing.T) {
	t.Parallel()
	for _, dsn := range []string{"sqlite:" + t.TempDir() + "/a.db", freshDatabase(t)} {
		succeed(t, dsn, "", "create")
		var file strings.Builder
		for range 300 {
			file.WriteString(eventLine("a-1", "x"))
		}
		ctx, cancel := context.WithCancel(t.Context())
		var stdout, stderr screen
		s := shell{
			stdin: &interrupting{r: strings.NewReader(file.String()), after: 20000, interrupt: cancel}, stdout: &stdout, stderr: &stderr,
			getenv: func(string) string { return dsn },
		}
		if code := s.run(ctx, []string{"append", "-", "-batch", "7"}); code != failed || !strings.Contains(stderr.String(), "interrupted") {
			t.Errorf("exit %d, %s", code, &stderr)
		}
		again := succeed(t, dsn, file.String(), "append", "-", "-json")
		if strings.Contains(again, `"appended_before":0}`) || strings.Contains(again, `"appended":0,`) {
			t.Errorf("the interrupt came too early or too late: %s", again)
		}
		if text := succeed(t, dsn, "", "verify"); !strings.Contains(text, "300 events to position 300 in 1 stream, 0 links: sound") {
			t.Errorf("afterwards: %s", text)
		}
	}
}

// interrupting interrupts after so many bytes.
type interrupting struct {
	r         *strings.Reader
	after     int
	interrupt func()
}

func (i *interrupting) Read(b []byte) (int, error) {
	n, err := i.r.Read(b[:min(len(b), 500)])
	if i.after -= n; i.after <= 0 {
		i.interrupt()
	}
	return n, err
}
