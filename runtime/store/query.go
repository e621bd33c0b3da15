package store

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/esgen/esgen/internal/printable"
)

// Query selects the events to read. The zero value is $all, forward, from the
// beginning, without a limit.
type Query struct {
	// Stream is the stream to read, by version. Not together with Categories.
	Stream string
	// Categories restricts $all to the streams of these categories, by
	// position. Empty means every stream.
	Categories []string
	// Types restricts the result to these stored event types. Empty means all.
	Types []string
	// Since and Until restrict the result to events whose Time is at or after
	// Since and before Until. Zero means no bound.
	Since, Until time.Time
	// Metadata restricts the result to events whose metadata has these texts under
	// these keys. A value that is no text matches nothing.
	Metadata map[string]string

	// FromVersion is the first version to yield of a stream: the lowest when
	// reading forward, the highest when reading backward. 0 means from the
	// beginning, or backward from the end.
	FromVersion Version
	// FromPosition is the same for $all and categories.
	FromPosition Position
	// Backward yields the newest first.
	Backward bool
	// Limit is the most events to yield. 0 means all.
	Limit int
}

// Check returns an [*InvalidError] if q contradicts itself.
func (q Query) Check() error {
	invalid := func(reason string) error { return &InvalidError{What: "query", Reason: reason} }
	switch {
	case q.Stream != "" && len(q.Categories) > 0:
		return invalid("names both a stream and categories; choose one")
	case q.Stream != "" && q.FromPosition != 0:
		return invalid("a stream is read from a version, not from a position")
	case q.Stream == "" && q.FromVersion != 0:
		return invalid("$all and categories are read from a position, not from a version")
	case q.FromVersion < 0:
		return invalid(fmt.Sprintf("from version %d, which no event has; versions begin at 1", int64(q.FromVersion)))
	case q.Limit < 0:
		return invalid(fmt.Sprintf("limit %d is negative; 0 means all", q.Limit))
	}
	if !q.Since.IsZero() && !q.Until.IsZero() && !q.Since.Before(q.Until) {
		return invalid(fmt.Sprintf("since %s is not before until %s", q.Since.Format(time.RFC3339Nano), q.Until.Format(time.RFC3339Nano)))
	}
	for _, t := range []time.Time{q.Since, q.Until} {
		if y := t.UTC().Year(); y < 1 || y > 9999 {
			return invalid(fmt.Sprintf("time in year %d; years 1 to 9999 are stored", y))
		}
	}
	for key, value := range q.Metadata {
		for _, text := range []string{key, value} {
			if !utf8.ValidString(text) || strings.IndexByte(text, 0) >= 0 {
				return invalid(fmt.Sprintf("metadata key %q with value %q: not UTF-8 without U+0000, as all metadata is", key, value))
			}
		}
	}
	if q.Stream != "" {
		if err := CheckStream(q.Stream); err != nil {
			return err
		}
	}
	for _, t := range q.Types {
		if err := checkName("event type", t, MaxNameBytes); err != nil {
			return err
		}
	}
	for _, c := range q.Categories {
		if err := CheckCategory(c); err != nil {
			return err
		}
	}
	return nil
}

// Matches reports whether r is among what q selects: by stream, category, type,
// time and metadata, and at or beyond From in q's direction. Stores without indexes
// of their own filter with it; order and Limit remain.
func (q Query) Matches(r Recorded) bool {
	return q.matchesPlace(r) && (len(q.Types) == 0 || slices.Contains(q.Types, r.Type)) &&
		(q.Since.IsZero() || !r.Time.Before(q.Since)) && (q.Until.IsZero() || r.Time.Before(q.Until)) &&
		r.Metadata.holds(q.Metadata)
}

func (q Query) matchesPlace(r Recorded) bool {
	return (q.Stream == "" || q.Stream == r.Stream) &&
		(len(q.Categories) == 0 || slices.Contains(q.Categories, Category(r.Stream))) &&
		(q.FromVersion == 0 || q.FromVersion == r.Version || q.FromVersion > r.Version == q.Backward) &&
		(q.FromPosition == 0 || q.FromPosition == r.Position || q.FromPosition > r.Position == q.Backward)
}

// String describes q for errors and logs: "bank-a-17 from version 3".
func (q Query) String() string {
	var b strings.Builder
	switch {
	case q.Stream != "":
		b.WriteString(printable.Name(q.Stream))
	case len(q.Categories) > 0:
		names := make([]string, len(q.Categories))
		for i, c := range q.Categories {
			names[i] = printable.Name(c)
		}
		b.WriteString("category " + strings.Join(names, ", "))
	default:
		b.WriteString("$all")
	}
	if q.Backward {
		b.WriteString(" backward")
	}
	if q.FromVersion > 0 {
		b.WriteString(" from version " + q.FromVersion.String())
	}
	if q.FromPosition > 0 {
		b.WriteString(" from position " + uitoa(q.FromPosition))
	}
	return b.String()
}
