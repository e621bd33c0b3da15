package history

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
)

// lists is how many streams of links all writers share.
const lists = 5

func listName(n int) string { return "list-" + strconv.Itoa(n) }

// linkable notes ids that are stored for certain. Each is linked at most once.
func (w *writer) linkable(b batch) {
	if b.size() > 50 || len(w.toLink) >= 20 {
		return
	}
	b.each(func(_ int, id uuid.UUID) {
		if len(w.toLink) < 20 && !w.noted[id] {
			w.noted[id] = true
			w.toLink = append(w.toLink, id)
		}
	})
}

// link puts events of the writer's own into a stream that others link to as well. It
// is tried once: an outcome that is unknown stays so.
func (w *writer) link(stop context.Context, linker store.Linker) error {
	n := 1 + w.random.IntN(len(w.toLink))
	ids := append([]uuid.UUID(nil), w.toLink[:n]...)
	w.toLink = append(w.toLink[:0], w.toLink[n:]...)
	w.ops++
	stream := listName(w.random.IntN(lists))
	b := batch{Stream: stream, Expected: w.expected(stream, false)}
	for _, id := range ids {
		b.IDs = append(b.IDs, idRun{id, 1})
	}
	if err := w.log.write(record{Kind: kindIntent, Op: w.ops, Links: true, Batches: []batch{b}}); err != nil {
		return err
	}
	ctx, cancel := w.context(stop, 1)
	defer cancel()
	linked, err := linker.Link(ctx, stream, store.Version(b.Expected), ids...)
	o := outcomeOf([]batch{b}, []store.Appended{linked}, err)
	o.Op = w.ops
	switch {
	case err == nil:
		w.known[stream] = int64(linked.Version)
	case o.Why == whyConflict:
		w.known[stream] = o.Version
	}
	if o.Kind == kindRefused { // they may be linked elsewhere
		w.toLink = append(w.toLink, ids...)
	}
	return w.log.write(o)
}

// show writes down what a stream of links shows.
func show(ctx context.Context, l *log, s store.Store, stream string) error {
	var shown []run
	for r, err := range s.Read(ctx, store.Query{Stream: stream}) {
		if errors.Is(err, store.ErrStreamNotFound) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("history: read the stream %s: %w", stream, err)
		}
		shown = add(shown, seenOf(r))
	}
	return l.write(record{Kind: kindShown, Stream: stream, Seen: shown})
}
