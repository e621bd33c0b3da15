package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
)

// line is an event as programs read and write it. What read prints, append takes.
type line struct {
	Position store.Position `json:"position,omitempty"`
	Stream   string         `json:"stream"`
	Version  store.Version  `json:"version,omitempty"`
	// OriginalStream and OriginalVersion are those of a link only.
	OriginalStream  string        `json:"original_stream,omitempty"`
	OriginalVersion store.Version `json:"original_version,omitempty"`

	ID          uuid.UUID    `json:"id"`
	Type        string       `json:"type"`
	Revision    int          `json:"revision,omitempty"`
	Correlation *uuid.UUID   `json:"correlation,omitempty"`
	Causation   *uuid.UUID   `json:"causation,omitempty"`
	Format      store.Format `json:"format,omitempty"`
	// Data is the payload if it is JSON, without white space between its parts,
	// Base64 any other.
	Data     json.RawMessage `json:"data,omitempty"`
	Base64   []byte          `json:"data_base64,omitempty"`
	Metadata json.RawMessage `json:"metadata,omitempty"`
	Time     time.Time       `json:"time,omitzero"`

	// Expected is for append only.
	Expected *expectation `json:"expected,omitempty"`
}

// expectation is a version, or the word for one.
type expectation store.Version

func (e *expectation) UnmarshalJSON(text []byte) error {
	switch string(text) {
	case `"any"`:
		*e = expectation(store.Any)
	case `"exists"`:
		*e = expectation(store.StreamExists)
	case `"none"`:
		*e = expectation(store.NoStream)
	default:
		n, err := strconv.ParseInt(string(text), 10, 64)
		if err != nil || n < 0 {
			return fmt.Errorf("expected is %s; it is a version, or \"any\", \"exists\" or \"none\"", printable(string(text)))
		}
		*e = expectation(n)
	}
	return nil
}

// lineOf is r as it is printed.
func lineOf(r store.Recorded) line {
	l := line{
		Position: r.Position, Stream: r.Stream, Version: r.Version,
		ID: r.ID, Type: r.Type, Revision: r.Revision, Correlation: optional(r.Correlation), Causation: optional(r.Causation),
		Format: r.Format, Metadata: json.RawMessage(r.Metadata), Time: r.Time,
	}
	if isLink(r) {
		l.OriginalStream, l.OriginalVersion = r.OriginalStream, r.OriginalVersion
	}
	switch r.Format {
	case store.JSON, store.JSONB:
		l.Data = r.Data
	default:
		l.Base64 = r.Data
	}
	return l
}

func isLink(r store.Recorded) bool {
	return r.OriginalStream != r.Stream || r.OriginalVersion != r.Version
}

func optional(id uuid.UUID) *uuid.UUID {
	if id == uuid.Nil {
		return nil
	}
	return &id
}

// parseLine reads a line, of which nothing is ignored.
func parseLine(text []byte) (l line, _ error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&l); err != nil {
		return l, err
	}
	if d.More() {
		return l, errors.New("something follows the object; write one object per line")
	}
	switch {
	case l.Data != nil && l.Base64 != nil:
		return l, errors.New("it has both data and data_base64")
	case l.Data == nil && l.Base64 == nil:
		return l, errors.New("it has neither data nor data_base64")
	case l.OriginalStream != "":
		return l, fmt.Errorf("it is a link to version %d of %s; append takes events, not links", int64(l.OriginalVersion), printable(l.OriginalStream))
	}
	return l, nil
}

// event is l as it is appended.
func (l line) event() store.Event {
	e := store.Event{
		ID: l.ID, Type: l.Type, Revision: l.Revision, Format: l.Format, Data: l.Base64,
		Metadata: store.Metadata(l.Metadata), Time: l.Time,
	}
	if e.Format == "" {
		e.Format = store.JSON
	}
	if l.Data != nil {
		e.Data = l.Data
	}
	if l.Correlation != nil {
		e.Correlation = *l.Correlation
	}
	if l.Causation != nil {
		e.Causation = *l.Causation
	}
	if string(l.Metadata) == "null" {
		e.Metadata = nil
	}
	return e
}
