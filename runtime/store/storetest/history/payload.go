package history

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
)

const eventType = "history.happened"

// storeBatches makes what is appended.
func storeBatches(format store.Format, batches []batch) []store.Batch {
	made := make([]store.Batch, len(batches))
	for i, b := range batches {
		events := make([]store.Event, 0, b.size())
		b.each(func(_ int, id uuid.UUID) {
			events = append(events, store.Event{ID: id, Type: eventType, Format: format, Data: payload(id)})
		})
		made[i] = store.Batch{Stream: b.Stream, Expected: store.Version(b.Expected), Events: events}
	}
	return made
}

// payload of an event follows from its id, so that every reader knows what it
// must be. It is JSON, of up to some hundred bytes.
func payload(id uuid.UUID) []byte {
	return fmt.Appendf(nil, `{"id":"%s","pad":"%s"}`, id, strings.Repeat("x", int(id[13])+int(id[15])/2))
}

// garbled says what is wrong with what an event carries, or nothing. A store may
// write JSON differently.
func garbled(r store.Recorded) string {
	var compact bytes.Buffer
	if r.Type != eventType || json.Compact(&compact, r.Data) != nil || !bytes.Equal(compact.Bytes(), payload(r.ID)) {
		return fmt.Sprintf("event %s at position %d carries %s %.200q", r.ID, r.Position, r.Type, r.Data)
	}
	return ""
}

func seenOf(r store.Recorded) seen {
	return seen{uint64(r.Position), r.Stream, int64(r.Version), r.ID}
}
