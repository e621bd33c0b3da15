package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
)

// maxLine bounds a line in bytes: an event of 16 MiB in base64, and more.
const maxLine = 64 << 20

var appendVerb = verb{
	name: "append", args: []string{"FILE"}, about: "append events from JSON lines",
	more: `FILE, or - for the standard input, holds one JSON object per line, as read -json prints:

  {"stream":"bank-a-17","id":"0190…","type":"bank.account_opened","data":{"owner":"ada"}}

stream, type and data are required; data_base64 takes the place of data that is not
JSON. id, revision, format (default json), metadata, correlation, causation and time
are the event's. expected is the version that the stream must have, or "any" (the
default), "exists" or "none". position and version are ignored.

Lines need an id, so that to append a file again stores nothing twice; or give the file
a name with -key: ids are then made from that name, the stream and the line's place among
those of its stream. Such a file may grow at its end, but must not change before.

Events are appended in the order of the lines, as many at once as that allows. With
-reorder, events of different streams may change places, which is faster where streams
take turns. What was appended before a line that is refused stays.`,
	prepare: func(f *flag.FlagSet) action {
		key := f.String("key", "", "make ids for lines without one from this `NAME` of the file")
		stream := f.String("stream", "", "the `STREAM` of lines without one")
		batch := f.Int("batch", 500, "append at most `N` lines at once")
		reorder := f.Bool("reorder", false, "the order between streams does not matter")
		return func(ctx context.Context, s shell, args []string) error {
			if *batch < 1 {
				return s.misused("-batch is at least 1")
			}
			return s.openOne(ctx, func(t target) error {
				file, size, err := s.input(args[0])
				if err != nil {
					return err
				}
				defer func() { _ = file.Close() }()
				a := &appender{shell: s, t: t, key: *key, stream: *stream, batch: *batch, reorder: *reorder, places: make(map[string]int), streams: make(map[string]bool)}
				return a.run(ctx, file, size)
			})
		}
	},
}

// input returns a file and its size in bytes, -1 if that is not known.
func (s shell) input(name string) (io.ReadCloser, int64, error) {
	if name == "-" {
		return io.NopCloser(s.stdin), -1, nil
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, 0, err
	}
	info, err := file.Stat()
	switch {
	case err == nil && info.IsDir():
		err = errors.New(name + " is a directory; append takes a file")
	case err == nil && info.Mode().IsRegular():
		return file, info.Size(), nil
	case err == nil:
		return file, -1, nil
	}
	return nil, 0, errors.Join(err, file.Close())
}

// appender appends lines in groups.
type appender struct {
	shell
	t           target
	key, stream string
	batch       int
	reorder     bool
	// places counts the lines of each stream that have got an id from key.
	places map[string]int

	group   []numbered
	streams map[string]bool // of the group
	bytes   int
	// at is the line that was read last.
	at      int
	summary summary
}

// numbered is a line and where it stands.
type numbered struct {
	number   int
	stream   string
	expected store.Version
	event    store.Event
}

// summary is what programs are told at the end.
type summary struct {
	Lines    int `json:"lines"`
	Appended int `json:"appended"`
	// Before counts the events that had been appended before.
	Before int `json:"appended_before"`
}

func (a *appender) run(ctx context.Context, file io.Reader, size int64) error {
	bar := a.bar("appending", size, true)
	lines := bufio.NewReaderSize(file, 1<<16)
	err := a.appendAll(ctx, lines, func(n int) { _ = bar.Add(n) })
	_ = bar.Finish()
	if a.json {
		if err := a.object(a.summary); err != nil {
			return err
		}
	} else {
		a.printf("%s: %s appended, %d appended before", count(a.summary.Lines, "line"), count(a.summary.Appended, "event"), a.summary.Before)
	}
	if err != nil {
		return fmt.Errorf("%w\nWhat was appended before stays. Mend it and append the file again to go on", err)
	}
	return nil
}

func (a *appender) appendAll(ctx context.Context, lines *bufio.Reader, read func(bytes int)) error {
	for {
		text, err := nextLine(lines)
		if err == nil || errors.Is(err, io.EOF) && len(text) > 0 {
			a.at++
			read(len(text))
			if err := a.add(ctx, text); err != nil {
				// Whatever came before the line is appended all the same.
				if before := a.flush(ctx); before != nil {
					return before
				}
				return err
			}
		}
		if err != nil {
			if flushed := a.flush(ctx); flushed != nil || errors.Is(err, io.EOF) {
				return flushed
			}
			return fmt.Errorf("line %d: %w", a.at+1, err)
		}
	}
}

// nextLine returns a line with its end.
func nextLine(lines *bufio.Reader) (text []byte, err error) {
	for {
		part, err := lines.ReadSlice('\n')
		text = append(text, part...)
		switch {
		case len(text) > maxLine:
			return nil, fmt.Errorf("longer than %d MiB", maxLine>>20)
		case !errors.Is(err, bufio.ErrBufferFull):
			return text, err
		}
	}
}

func (a *appender) add(ctx context.Context, text []byte) error {
	text = bytes.TrimSpace(text)
	if len(text) == 0 {
		return nil
	}
	l, err := parseLine(text)
	if err == nil {
		err = a.identify(&l)
	}
	if err != nil {
		return fmt.Errorf("line %d: %w", a.at, err)
	}
	a.summary.Lines++
	n := numbered{number: a.at, stream: l.Stream, expected: store.Any, event: l.event()}
	if l.Expected != nil {
		n.expected = store.Version(*l.Expected)
	}
	if len(a.group) == a.batch || a.bytes > 4<<20 || !a.fits(n) {
		if err := a.flush(ctx); err != nil {
			return err
		}
	}
	a.group = append(a.group, n)
	a.streams[n.stream] = true
	a.bytes += len(text)
	return nil
}

// identify gives a line the stream and the id that it lacks.
func (a *appender) identify(l *line) error {
	if l.Stream == "" {
		l.Stream = a.stream
	}
	switch {
	case l.Stream == "":
		return errors.New("it has no stream; name one in the line, or with -stream")
	case l.ID != uuid.Nil:
		return nil
	case a.key == "":
		return errors.New("it has no id, so that to append it again would store it twice; give it one, or name the file with -key")
	}
	a.places[l.Stream]++
	l.ID = keyID(a.key, l.Stream, a.places[l.Stream])
	return nil
}

// keyID is a UUID of version 8. What goes into it must never change, for a file may
// be appended again by a newer release.
func keyID(key, stream string, place int) uuid.UUID {
	b := []byte("esctl append 1")
	for _, part := range [...]string{key, stream} {
		b = binary.BigEndian.AppendUint64(b, uint64(len(part)))
		b = append(b, part...)
	}
	b = binary.BigEndian.AppendUint64(b, uint64(place))
	sum := sha256.Sum256(b)
	id := uuid.UUID(sum[:16])
	id[6] = id[6]&0x0f | 0x80
	id[8] = id[8]&0x3f | 0x80
	return id
}

// fits reports whether n can join the group. One append has one place for each of
// its streams, and states once what is expected of it.
func (a *appender) fits(n numbered) bool {
	last := len(a.group) - 1
	if last < 0 || !a.streams[n.stream] {
		return true
	}
	return n.expected == store.Any && (a.reorder || a.group[last].stream == n.stream)
}

// flush appends the group: at once, or if that is refused, line by line, to find the
// line that is, and because a group of which a part was appended before is refused.
func (a *appender) flush(ctx context.Context) error {
	group := a.group
	a.group, a.bytes = nil, 0
	clear(a.streams)
	if len(group) == 0 {
		return nil
	}
	err := a.append(ctx, group)
	if err == nil || len(group) == 1 || store.Retryable(err) || ctx.Err() != nil {
		return located(group, err)
	}
	for i := range group {
		if err := a.append(ctx, group[i:i+1]); err != nil {
			return located(group[i:i+1], err)
		}
	}
	return nil
}

// append appends lines in one step.
func (a *appender) append(ctx context.Context, group []numbered) error {
	var batches []store.Batch
	places := make(map[string]int)
	for _, n := range group {
		i, ok := places[n.stream]
		if !ok {
			i = len(batches)
			places[n.stream] = i
			batches = append(batches, store.Batch{Stream: n.stream, Expected: n.expected})
		}
		batches[i].Events = append(batches[i].Events, n.event)
	}
	appended, err := a.t.Append(ctx, batches...)
	if errors.Is(err, store.ErrUnknownOutcome) {
		// The same ids again: that resolves it.
		appended, err = a.t.Append(ctx, batches...)
	}
	if err != nil {
		return err
	}
	for i, done := range appended {
		if n := len(batches[i].Events); done.Duplicate {
			a.summary.Before += n
		} else {
			a.summary.Appended += n
		}
	}
	return nil
}

// located says which lines an error is about.
func located(group []numbered, err error) error {
	if err == nil {
		return nil
	}
	first, last := group[0].number, group[len(group)-1].number
	if first == last {
		return fmt.Errorf("line %d: %w", first, err)
	}
	return fmt.Errorf("lines %d to %d: %w", first, last, err)
}
