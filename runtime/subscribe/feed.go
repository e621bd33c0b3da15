package subscribe

import (
	"context"
	"errors"

	"github.com/esgen/esgen/runtime/store"
)

// feed reads events for the lanes of a store.
type feed struct{ db store.Store }

func feedOf(db store.Store) *feed { return &feed{db} }

// wait returns a channel that is closed when new events may be there.
func (f *feed) wait() <-chan struct{} { return f.db.Local().Wait() }

// read returns up to limit events after a place, and whether there were no more.
// A stream that does not exist is one without events so far. Events before an
// error are as good as others. The page is not to be changed.
func (f *feed) read(ctx context.Context, q store.Query, from uint64, limit int) (page []store.Recorded, end bool, err error) {
	q.Limit = limit
	if q.Stream != "" {
		q.FromVersion = store.Version(from) + 1
	} else {
		q.FromPosition = store.Position(from) + 1
	}
	for event, err := range f.db.Read(ctx, q) {
		if err != nil {
			if q.Stream != "" && errors.Is(err, store.ErrStreamNotFound) {
				return page, true, nil
			}
			return page, false, err
		}
		if page == nil {
			page = make([]store.Recorded, 0, min(limit, 512))
		}
		page = append(page, event)
	}
	return page, len(page) < limit, nil
}
