package ownstore

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/esgen/esgen/runtime/store"
)

// Append writes one line and waits until it is on the disk.
func (s *Store) Append(ctx context.Context, batches ...store.Batch) ([]store.Appended, error) {
	batches, err := store.Prepare(ctx, time.Now(), batches)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	op := "append to " + batches[0].Stream
	if ctx.Err() != nil {
		return nil, fmt.Errorf("%s: %w", op, context.Cause(ctx))
	}
	if s.failed != nil {
		return nil, &store.UnavailableError{Op: op, Err: s.failed}
	}
	if appended, err := s.stored(batches); appended != nil || err != nil {
		return appended, err
	}
	var events []store.Recorded
	appended := make([]store.Appended, len(batches))
	for i, b := range batches {
		version := store.Version(len(s.streams[b.Stream]))
		if !b.Expected.Met(version) {
			return nil, &store.ConflictError{Stream: b.Stream, Expected: b.Expected, Actual: version}
		}
		first := store.Position(len(s.events) + len(events) + 1)
		for _, e := range b.Events {
			version++
			events = append(events, store.Recorded{
				Position: store.Position(len(s.events) + len(events) + 1),
				Stream:   b.Stream, Version: version, OriginalStream: b.Stream, OriginalVersion: version,
				ID: e.ID, Type: e.Type, Revision: e.Revision, Correlation: e.Correlation, Causation: e.Causation,
				Format: e.Format, Data: bytes.Clone(e.Data), Metadata: bytes.Clone(e.Metadata), Time: e.Time,
			})
		}
		last := store.Position(len(s.events) + len(events))
		appended[i] = store.Appended{Stream: b.Stream, Version: version, First: first, Last: last}
	}
	line, err := json.Marshal(events)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	_, err = s.file.Write(append(line, '\n'))
	if err == nil {
		err = s.file.Sync()
	}
	if err != nil {
		// The line may be on the disk or not. Opening the store again tells.
		s.failed = err
		return nil, &store.UnknownOutcomeError{Batches: batches, Err: err}
	}
	s.index(events)
	s.bell.Ring()
	return appended, nil
}

// stored answers an append that repeats ids: with where they are if that is where
// this append would have put them, else with an error. It returns nil if all are new.
func (s *Store) stored(batches []store.Batch) ([]store.Appended, error) {
	var elsewhere error
	repeated := true
	appended := make([]store.Appended, len(batches))
	for i, b := range batches {
		var first store.Version
		for j, e := range b.Events {
			p, known := s.ids[e.ID]
			if !known {
				repeated = false
				continue
			}
			r := s.events[p-1]
			if elsewhere == nil {
				elsewhere = &store.DuplicateEventError{ID: e.ID, Stream: b.Stream, StoredStream: r.Stream, StoredVersion: r.Version}
			}
			if j == 0 {
				first = r.Version
				appended[i] = store.Appended{Stream: b.Stream, First: p, Duplicate: true}
			}
			if r.Stream != b.Stream || r.Version != first+store.Version(j) || !b.Expected.Met(first-1) {
				repeated = false
			}
			appended[i].Version, appended[i].Last = r.Version, p
		}
	}
	switch {
	case elsewhere == nil:
		return nil, nil
	case repeated:
		return appended, nil
	default:
		return nil, elsewhere
	}
}
