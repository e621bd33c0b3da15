package store

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// All is the name of the order of all events. No stream can have it.
const All = "$all"

// Category returns what precedes the first dash of a stream name, "bank" of
// "bank-a-17", or "" if there is no dash: such a stream is in no category.
func Category(stream string) string {
	category, _, found := strings.Cut(stream, "-")
	if !found {
		return ""
	}
	return category
}

// CheckStream returns an [*InvalidError] unless name can name a stream that
// callers append to: 1 to [MaxStreamBytes] bytes of UTF-8 without U+0000, not
// beginning with $.
func CheckStream(name string) error {
	if err := checkName("stream name", name, MaxStreamBytes); err != nil {
		return err
	}
	if name[0] == '$' {
		return &InvalidError{What: "stream name", Value: name, Reason: "names that begin with $ belong to the store"}
	}
	return nil
}

// CheckCategory returns an [*InvalidError] unless name can be a category.
func CheckCategory(name string) error {
	if err := checkName("category", name, MaxStreamBytes); err != nil {
		return err
	}
	if strings.Contains(name, "-") {
		return &InvalidError{What: "category", Value: name, Reason: "holds a dash; a category is what precedes the first dash of a stream name"}
	}
	return nil
}

// CheckSubscription returns an [*InvalidError] unless name can name a
// subscription: 1 to [MaxNameBytes] bytes of UTF-8 without U+0000.
func CheckSubscription(name string) error {
	return checkName("subscription name", name, MaxNameBytes)
}

func checkName(what, name string, limit int) error {
	var reason string
	switch {
	case name == "":
		reason = "empty"
	case len(name) > limit:
		reason = fmt.Sprintf("%d bytes long, at most %d are stored", len(name), limit)
		name = name[:32] + "…"
	case strings.IndexByte(name, 0) >= 0:
		reason = "holds U+0000, which databases cannot store"
	case !utf8.ValidString(name):
		reason = "not valid UTF-8"
	default:
		return nil
	}
	return &InvalidError{What: what, Value: name, Reason: reason}
}

func uitoa(p Position) string { return strconv.FormatUint(uint64(p), 10) }
