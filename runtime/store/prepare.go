package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/esgen/esgen/internal/jsontext"
	"github.com/esgen/esgen/internal/printable"
)

// Prepare checks batches and returns a copy in which every event has an id, a
// revision, a time of at most microsecond precision in UTC, and the correlation,
// causation and trace that ctx carries. Every store calls it first, so that all take
// and refuse the same. Data and metadata are not copied; metadata that a trace is put
// into is new. The error is an [*InvalidError]; nothing is stored then.
func Prepare(ctx context.Context, now time.Time, batches []Batch) ([]Batch, error) {
	if len(batches) == 0 {
		return nil, &InvalidError{What: "append", Reason: "no batches; append at least one event"}
	}
	because, within := causeOf(ctx), traceOf(ctx)
	prepared := make([]Batch, len(batches))
	streams := make(map[string]bool, len(batches))
	ids := make(map[uuid.UUID]bool)
	for i, b := range batches {
		if err := CheckStream(b.Stream); err != nil {
			return nil, err
		}
		invalid := func(format string, args ...any) error {
			return &InvalidError{What: "append to " + printable.Name(b.Stream), Reason: fmt.Sprintf(format, args...)}
		}
		switch {
		case b.Expected < StreamExists:
			return nil, invalid("expected version %d has no meaning", int64(b.Expected))
		case len(b.Events) == 0:
			return nil, invalid("no events; append at least one")
		case streams[b.Stream]:
			return nil, invalid("the stream stands twice in one append; put its events into one batch")
		}
		streams[b.Stream] = true
		events := make([]Event, len(b.Events))
		for j, e := range b.Events {
			if err := prepareEvent(&e, now, because, within); err != nil {
				return nil, invalid("event %d of %d: %v", j+1, len(b.Events), err)
			}
			if ids[e.ID] {
				return nil, invalid("event %d of %d: id %s stands twice in one append", j+1, len(b.Events), e.ID)
			}
			ids[e.ID] = true
			events[j] = e
		}
		b.Events = events
		prepared[i] = b
	}
	return prepared, nil
}

func prepareEvent(e *Event, now time.Time, because cause, within *trace) error {
	if err := checkName("type", e.Type, MaxNameBytes); err != nil {
		return err
	}
	if err := checkName("format", string(e.Format), MaxNameBytes); err != nil {
		return err
	}
	if e.Revision == 0 {
		e.Revision = 1
	}
	// Revisions are stored in 32 bits.
	if e.Revision < 1 || e.Revision > 1<<31-1 {
		return fmt.Errorf("revision %d; revisions are 1 to 2147483647", e.Revision)
	}
	if size := len(e.Data) + len(e.Metadata); size > MaxEventBytes {
		return fmt.Errorf("%d bytes of data and metadata, at most %d are stored", size, MaxEventBytes)
	}
	if err := checkData(e.Format, e.Data); err != nil {
		return fmt.Errorf("data: %w", err)
	}
	if len(e.Metadata) == 0 {
		e.Metadata = nil
	} else if err := jsontext.CheckObject(e.Metadata); err != nil {
		return fmt.Errorf("metadata: %w", err)
	}
	e.Metadata = within.into(e.Metadata, MaxEventBytes-len(e.Data)-len(e.Metadata))
	if e.ID == uuid.Nil {
		id, err := uuid.NewV7()
		if err != nil {
			return fmt.Errorf("make an id: %w", err)
		}
		e.ID = id
	}
	if e.Correlation == uuid.Nil {
		e.Correlation = because.correlation
	}
	if e.Causation == uuid.Nil {
		e.Causation = because.causation
	}
	if e.Time.IsZero() {
		e.Time = now
	}
	e.Time = e.Time.UTC().Truncate(time.Microsecond)
	if y := e.Time.Year(); y < 1 || y > 9999 {
		return fmt.Errorf("time in year %d; years 1 to 9999 are stored", y)
	}
	return nil
}

// checkData knows the formats of this package; others check themselves.
func checkData(f Format, data []byte) error {
	switch f {
	case JSON:
		return jsontext.Check(data)
	case JSONB:
		return jsontext.CheckJSONB(data)
	default:
		return nil
	}
}
