package sqlite

import (
	"time"

	"github.com/esgen/esgen/runtime/store"
)

// target is the stream that something is written to.
type target struct {
	id       int64 // 0 if there is none
	category any   // its number, nil without
	version  store.Version
	deleted  *int64 // when, in microseconds; nil if it is not
}

func (t *tx) target(stream string) (to target, found bool) {
	var category *int64
	found = t.row(streamSQL, []any{stream}, &to.id, &category, &to.version, &to.deleted)
	if category != nil {
		to.category = *category
	}
	return to, found
}

// refusal is why nothing is to be put into a stream, nil if nothing speaks
// against it. verb is what is attempted.
func (to target) refusal(verb, stream string, expected store.Version) error {
	switch {
	case to.deleted != nil:
		return &store.StreamDeletedError{Op: verb, Stream: stream, Deleted: instant(*to.deleted)}
	case !expected.Met(to.version):
		return &store.ConflictError{Op: verb, Stream: stream, Expected: expected, Actual: to.version}
	default:
		return nil
	}
}

// create stores a new stream and, if need be, its category.
func (t *tx) create(stream string, created int64) (to target) {
	if name := store.Category(stream); name != "" {
		var category int64
		if !t.row(categorySQL, []any{name}, &category) && t.failed == nil {
			category = t.insert(insertCategorySQL, name)
		}
		to.category = category
	}
	to.id = t.insert(insertStreamSQL, stream, to.category, created)
	return to
}

func instant(micros int64) time.Time { return time.UnixMicro(micros).UTC() }
