package storetest

import (
	"context"
	"iter"
	"strings"
	"time"

	"github.com/esgen/esgen/runtime/store"
)

// asked reads another query than was asked for.
func (b *broken) asked(change func(*store.Query)) {
	b.read = func(ctx context.Context, q store.Query) iter.Seq2[store.Recorded, error] {
		change(&q)
		return b.Store.Read(ctx, q)
	}
}

// sieved applies the limit of a query, or at most a page, before keep does, which
// takes the place of a filter.
func (b *broken) sieved(page int, keep func(q store.Query, r store.Recorded) bool) {
	b.read = func(ctx context.Context, q store.Query) iter.Seq2[store.Recorded, error] {
		return func(yield func(store.Recorded, error) bool) {
			whole := q
			whole.Since, whole.Until, whole.Metadata = time.Time{}, time.Time{}, nil
			if page > 0 && whole.Limit == 0 {
				whole.Limit = page
			}
			for r, err := range b.Store.Read(ctx, whole) {
				if (err != nil || keep(q, r)) && !yield(r, err) {
					return
				}
			}
		}
	}
}

var filterDefects = []defect{
	{"ignores the beginning of a time", "every filter selects", func(b *broken) {
		b.asked(func(q *store.Query) { q.Since = time.Time{} })
	}},
	{"takes the order of events for that of their times", "every filter selects", func(b *broken) {
		b.read = func(ctx context.Context, q store.Query) iter.Seq2[store.Recorded, error] {
			return func(yield func(store.Recorded, error) bool) {
				until := q.Until
				q.Until = time.Time{}
				for r, err := range b.Store.Read(ctx, q) {
					if !until.IsZero() && !r.Time.Before(until) || !yield(r, err) {
						return
					}
				}
			}
		}
	}},
	{"includes the end of a time", "times filter", func(b *broken) {
		b.asked(func(q *store.Query) { q.Until = q.Until.Add(time.Microsecond) })
	}},
	{"cuts the times of a query off", "times filter", func(b *broken) {
		b.asked(func(q *store.Query) { q.Since = q.Since.Truncate(time.Microsecond) })
	}},
	{"ignores metadata", "every filter selects", func(b *broken) {
		b.asked(func(q *store.Query) { q.Metadata = nil })
	}},
	{"looks for metadata in the text", "metadata filters by", func(b *broken) {
		b.sieved(0, func(q store.Query, r store.Recorded) bool {
			for key, value := range q.Metadata {
				if !strings.Contains(string(r.Metadata), `"`+key+`":"`+value+`"`) {
					return false
				}
			}
			return true
		})
	}},
	{"takes numbers for texts", "metadata filters by", func(b *broken) {
		b.sieved(0, func(q store.Query, r store.Recorded) bool {
			return q.Matches(r) || string(r.Metadata) == `{"user":7}` && q.Metadata["user"] == "7"
		})
	}},
	{"counts the limit before the metadata", "every filter selects", func(b *broken) {
		b.sieved(0, func(q store.Query, r store.Recorded) bool { return q.Matches(r) })
	}},
	{"looks for what is rare in one page", "filters find little", func(b *broken) {
		b.sieved(1000, func(q store.Query, r store.Recorded) bool { return q.Matches(r) })
	}},
	{"finds unknown streams empty when it filters", "filters of a stream that is not", func(b *broken) {
		b.read = func(ctx context.Context, q store.Query) iter.Seq2[store.Recorded, error] {
			return func(yield func(store.Recorded, error) bool) {
				for r, err := range b.Store.Read(ctx, q) {
					if err != nil && !q.Since.IsZero() || !yield(r, err) {
						return
					}
				}
			}
		}
	}},
	{"takes filters unchecked", "filters that no store", func(b *broken) {
		b.asked(func(q *store.Query) {
			if q.Check() != nil {
				*q = store.Query{}
			}
		})
	}},
}

// listedAs lists another query than was asked for.
func (b *broken) listedAs(change func(*store.StreamQuery)) {
	b.list = func(ctx context.Context, q store.StreamQuery) iter.Seq2[store.StreamInfo, error] {
		change(&q)
		return b.Store.Streams(ctx, q)
	}
}

// pagedBy lists in pages of 100, each begun by next with how many streams came
// before and the last of them.
func (b *broken) pagedBy(next func(q store.StreamQuery, n int, last string) (of store.StreamQuery, skip int)) {
	b.list = func(ctx context.Context, q store.StreamQuery) iter.Seq2[store.StreamInfo, error] {
		return func(yield func(store.StreamInfo, error) bool) {
			last := q.After
			for n := 0; ; {
				of, skip := next(q, n, last)
				got := 0
				for info, err := range b.Store.Streams(ctx, of) {
					if skip--; skip >= 0 {
						continue
					}
					if got++; got > 100 {
						break
					}
					n++
					last = info.Stream
					if !yield(info, err) || err != nil || n == q.Limit {
						return
					}
				}
				if got <= 100 {
					return
				}
			}
		}
	}
}

var listingDefects = []defect{
	{"sorts backward by name alone", "a list of streams is what", func(b *broken) {
		b.listedAs(func(q *store.StreamQuery) {
			if q.Descending {
				q.Order = store.ByName
			}
		})
	}},
	{"shows deleted streams always", "a list of streams is what", func(b *broken) {
		b.listedAs(func(q *store.StreamQuery) { q.Deleted = true })
	}},
	{"begins pages behind a stream that is gone", "a list of streams goes on while streams go", func(b *broken) {
		b.pagedBy(func(q store.StreamQuery, _ int, last string) (store.StreamQuery, int) {
			q.After = last
			return q, 0
		})
	}},
	{"begins again with an unknown stream", "the name of a stream continues", func(b *broken) {
		b.listedAs(func(q *store.StreamQuery) {
			if _, err := b.Store.StreamInfo(context.Background(), q.After); err != nil {
				q.After = ""
			}
		})
	}},
	{"lists what it is asked unchecked", "a list of streams that no store", func(b *broken) {
		b.listedAs(func(q *store.StreamQuery) {
			if q.Check() != nil {
				*q = store.StreamQuery{}
			}
		})
	}},
	{"lists less than it describes", "a list of streams can be broken off", func(b *broken) {
		b.list = func(ctx context.Context, q store.StreamQuery) iter.Seq2[store.StreamInfo, error] {
			return func(yield func(store.StreamInfo, error) bool) {
				for info, err := range b.Store.Streams(ctx, q) {
					info.First = 0
					if !yield(info, err) {
						return
					}
				}
			}
		}
	}},
	{"lists in a context that has ended", "a list of streams says", func(b *broken) {
		b.list = func(ctx context.Context, q store.StreamQuery) iter.Seq2[store.StreamInfo, error] {
			return b.Store.Streams(context.WithoutCancel(ctx), q)
		}
	}},
}
