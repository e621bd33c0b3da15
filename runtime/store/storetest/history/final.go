package history

import (
	"context"
	"errors"
	"fmt"

	"github.com/esgen/esgen/runtime/store"
)

// Finish reads all that s holds, when every process has ended, and writes it to
// dir: $all forward, and each of up to 300 streams, which must show the same, and the streams of links.
func Finish(ctx context.Context, dir string, s store.Store) (err error) {
	l, err := create(dir, "final")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	dense := ""
	if s.Capabilities().Has(store.DenseOrder) {
		dense = "dense"
	}
	streams := make(map[string][]run)
	last := uint64(0)
	var part []run
	for r, err := range s.Read(ctx, store.Query{}) {
		if err != nil {
			return fmt.Errorf("history: read all that is stored: %w", err)
		}
		e := seenOf(r)
		if text := garbled(r); text != "" {
			err = l.write(record{Kind: kindProblem, Why: ruleChanged, Text: text})
		}
		if e.position <= last {
			rule := ruleSkipped
			if e.position == last {
				rule = ruleTwice
			}
			err = errors.Join(err, l.write(record{Kind: kindProblem, Why: rule, Text: fmt.Sprintf("the final read saw %s behind position %d", e, last)}))
		}
		if err != nil {
			return err
		}
		last = max(last, e.position)
		if part = add(part, e); len(part) > linesOf {
			if err := l.write(record{Kind: kindFinal, Seen: part[:linesOf]}); err != nil {
				return err
			}
			part = part[linesOf:]
		}
		if known, ok := streams[e.stream]; ok || len(streams) < 300 {
			streams[e.stream] = add(known, e)
		}
	}
	if err := l.write(record{Kind: kindFinal, Seen: part, Done: true, Why: dense}); err != nil {
		return err
	}
	for stream, want := range streams {
		if err := compare(ctx, l, s, stream, want); err != nil {
			return err
		}
	}
	for n := range lists {
		if err := show(ctx, l, s, listName(n)); err != nil {
			return err
		}
	}
	return nil
}

// compare reads a stream, which must show what $all shows of it.
func compare(ctx context.Context, l *log, s store.Store, stream string, want []run) error {
	var got []run
	for r, err := range s.Read(ctx, store.Query{Stream: stream}) {
		if errors.Is(err, store.ErrStreamDeleted) && category(stream) == hidden {
			return l.write(record{Kind: kindShows, Stream: stream, Why: hidden})
		}
		if err != nil {
			return fmt.Errorf("history: read the stream %s: %w", stream, err)
		}
		got = add(got, seenOf(r))
	}
	for i := range max(len(want), len(got)) {
		if i < len(want) && i < len(got) && want[i] == got[i] {
			continue
		}
		return l.write(record{Kind: kindProblem, Why: ruleChanged, Text: fmt.Sprintf(
			"%s shows %+v as its part %d of %d, $all shows %+v of %d", stream, at(got, i), i+1, len(got), at(want, i), len(want))})
	}
	if category(stream) == hidden {
		return l.write(record{Kind: kindShows, Stream: stream, Why: there})
	}
	return nil
}

func at(runs []run, i int) run {
	if i < len(runs) {
		return runs[i]
	}
	return run{}
}
