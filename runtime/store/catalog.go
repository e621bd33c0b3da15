package store

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"time"
	"unicode/utf8"
)

// StreamInfo describes a stream.
type StreamInfo struct {
	Stream string
	// Version of the last event, or link, that was ever in it.
	Version Version
	// First is the lowest version that reads show; one more than Version if
	// removals have left none.
	First Version
	// Created is the time of the append that created the stream, by the clock
	// of its first event. If a link created it, the store's clock.
	Created time.Time
	// Deleted is when the stream was softly deleted, by the store's clock. Zero if
	// it is not.
	Deleted time.Time
}

// Catalog is implemented by stores that know their streams, and how far they have come.
type Catalog interface {
	// LastPosition is the highest position that was ever given to an event, also if
	// that was deleted for good; 0 if there is none. A checkpoint beyond it is one of
	// another store, or of a later state of this one. Errors: [*UnavailableError].
	LastPosition(ctx context.Context) (Position, error)

	// StreamInfo describes stream, also if it is softly deleted, or returns a
	// [*StreamNotFoundError], or an [*InvalidError] if no stream can have that
	// name.
	StreamInfo(ctx context.Context, stream string) (StreamInfo, error)

	// Streams yields the streams that q selects, in its order, in pages: it is no
	// snapshot. A stream that is there all the while, and whose place in the order
	// does not change, is yielded once. An error is the last pair:
	// [*StreamNotFoundError] if q goes on after a stream that is not in the store,
	// [*InvalidError], [*UnavailableError].
	Streams(ctx context.Context, q StreamQuery) iter.Seq2[StreamInfo, error]
}

// StreamOrder is what a listing of streams is sorted by.
type StreamOrder int

const (
	// ByName sorts by the bytes of the name.
	ByName StreamOrder = iota
	// ByCreation sorts by the order in which the store created them.
	ByCreation
	// ByVersion sorts by version, and by name where versions are equal. It sorts all
	// streams that are selected for each page.
	ByVersion
)

// StreamQuery selects streams. The zero value is all that are not deleted, by name.
type StreamQuery struct {
	// Prefix restricts to names that begin so. Every character means itself.
	Prefix string
	// Contains restricts to names that hold this text. Every character means
	// itself. It is looked for in all names, unless Prefix narrows them.
	Contains string
	// Deleted includes the softly deleted.
	Deleted bool
	// Order defaults to [ByName]. Descending turns it round.
	Order      StreamOrder
	Descending bool
	// After continues behind the stream of this name, which must still be in the
	// store: a page token that stays good while others come and go. Defaults to
	// the beginning.
	After string
	// Limit is the most streams to yield. 0 means all.
	Limit int
}

// Check returns an [*InvalidError] if q contradicts itself.
func (q StreamQuery) Check() error {
	invalid := func(reason string) error { return &InvalidError{What: "stream query", Reason: reason} }
	for what, text := range map[string]string{"prefix": q.Prefix, "text": q.Contains} {
		if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
			return invalid("the " + what + " is not UTF-8 without U+0000, as all names are")
		}
	}
	switch {
	case q.Order < ByName || q.Order > ByVersion:
		return invalid(fmt.Sprintf("order %d has no meaning", int(q.Order)))
	case q.Limit < 0:
		return invalid(fmt.Sprintf("limit %d is negative; 0 means all", q.Limit))
	case q.After != "":
		return CheckStream(q.After)
	}
	return nil
}

// Matches reports whether info is among what q selects; After and Limit remain.
func (q StreamQuery) Matches(info StreamInfo) bool {
	return (q.Deleted || info.Deleted.IsZero()) && strings.HasPrefix(info.Stream, q.Prefix) && strings.Contains(info.Stream, q.Contains)
}
