package store

import "github.com/google/uuid"

// Duplicates answers an append that repeats ids, for stores that look ids up:
// stored returns the event that an id is stored as, or nil. Of it only Stream,
// Version and Position are used.
//
// If no id is stored, both results are nil: go on and append. If every event
// stands where this append would have put it, side by side and behind the
// version that its batch expects, the result is one [Appended] per batch with
// Duplicate set. Otherwise the error is a [*DuplicateEventError] that names the
// first id which is stored.
//
// batches come from [Prepare]. Ask before the expected versions are checked, for
// a retry no longer meets them, and under the lock that appends take, so that
// the answer still holds when the events are stored.
func Duplicates(batches []Batch, stored func(id uuid.UUID) *Recorded) ([]Appended, error) {
	var first error
	repeated := true
	appended := make([]Appended, len(batches))
	for i, b := range batches {
		before := NoStream // the version that the batch was put behind
		for j, e := range b.Events {
			r := stored(e.ID)
			if r == nil {
				repeated = false
				continue
			}
			if first == nil {
				first = &DuplicateEventError{Op: opAppend, ID: e.ID, Stream: b.Stream, StoredStream: r.Stream, StoredVersion: r.Version}
			}
			if j == 0 {
				before = r.Version - 1
				appended[i] = Appended{Stream: b.Stream, First: r.Position, Duplicate: true}
				repeated = repeated && b.Expected.Met(before)
			}
			repeated = repeated && r.Stream == b.Stream && r.Version == before+Version(j)+1
			appended[i].Version, appended[i].Last = r.Version, r.Position
		}
	}
	switch {
	case first == nil:
		return nil, nil
	case repeated:
		return appended, nil
	default:
		return nil, first
	}
}
