package subscribe

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/esgen/esgen/runtime/store"
)

// settings are what a subscription reads and how it is divided. Their text is stored
// with it, so that a program that asks for something else under the same name is
// refused, and so that whoever looks at it from outside knows how far it is behind.
type settings struct {
	// stream, or categories in their order, or neither for all events.
	stream     string
	categories []string
	// types in their order; none for all.
	types []string
	// lanes are at least 1; key names what divides events among them, and is "" with
	// one lane.
	lanes int
	key   string
}

// String is the text that is stored. It never changes for the same settings:
//
//	$all
//	stream "bank-a-17"
//	categories "bank", "cards"; types "bank.account_opened"; 4 lanes by "stream"
func (s settings) String() string {
	var b strings.Builder
	switch {
	case s.stream != "":
		b.WriteString("stream " + strconv.Quote(s.stream))
	case len(s.categories) > 0:
		b.WriteString("categories " + quoted(s.categories))
	default:
		b.WriteString(store.All)
	}
	if len(s.types) > 0 {
		b.WriteString("; types " + quoted(s.types))
	}
	if s.lanes > 1 {
		fmt.Fprintf(&b, "; %d lanes by %s", s.lanes, strconv.Quote(s.key))
	}
	return b.String()
}

func quoted(names []string) string {
	words := make([]string, len(names))
	for i, name := range names {
		words[i] = strconv.Quote(name)
	}
	return strings.Join(words, ", ")
}

// parseSettings reads what [settings.String] has written. Anything else, also what a
// later release may write, is an error: to guess would count the wrong events.
func parseSettings(text string) (settings, error) {
	s := settings{lanes: 1}
	rest := text
	unread := func() (settings, error) {
		return settings{}, fmt.Errorf("its settings %q are of another release: %q cannot be read", text, rest)
	}
	var ok bool
	switch {
	case strings.HasPrefix(rest, "stream "):
		var names []string
		names, rest, ok = unquoted(rest[len("stream "):])
		if !ok || len(names) != 1 {
			return unread()
		}
		s.stream = names[0]
	case strings.HasPrefix(rest, "categories "):
		if s.categories, rest, ok = unquoted(rest[len("categories "):]); !ok {
			return unread()
		}
	case strings.HasPrefix(rest, store.All):
		rest = rest[len(store.All):]
	default:
		return unread()
	}
	if after, found := strings.CutPrefix(rest, "; types "); found {
		if s.types, rest, ok = unquoted(after); !ok {
			return unread()
		}
	}
	if after, found := strings.CutPrefix(rest, "; "); found {
		digits, by, found := strings.Cut(after, " lanes by ")
		n, err := strconv.Atoi(digits)
		names, end, ok := unquoted(by)
		if !found || err != nil || n < 2 || !ok || len(names) != 1 {
			return unread()
		}
		s.lanes, s.key, rest = n, names[0], end
	}
	if rest != "" {
		return unread()
	}
	return s, nil
}

// unquoted reads quoted names set apart by commas, and returns what follows.
func unquoted(text string) (names []string, rest string, ok bool) {
	for {
		word, err := strconv.QuotedPrefix(text)
		if err != nil {
			return nil, text, false
		}
		name, err := strconv.Unquote(word)
		if err != nil {
			return nil, text, false
		}
		names, text = append(names, name), text[len(word):]
		after, found := strings.CutPrefix(text, ", ")
		if !found {
			return names, text, true
		}
		text = after
	}
}

// query selects up to limit events after place.
func (s settings) query(place uint64, limit int) store.Query {
	q := store.Query{Stream: s.stream, Categories: s.categories, Types: s.types, Limit: limit}
	if s.stream != "" {
		q.FromVersion = store.Version(place) + 1
	} else {
		q.FromPosition = store.Position(place) + 1
	}
	return q
}

// place is the number by which the subscription counts r.
func (s settings) place(r store.Recorded) uint64 {
	if s.stream != "" {
		return uint64(r.Version)
	}
	return uint64(r.Position)
}

// differ says in words what is not the same in the settings that are stored and in
// those that a program asks for.
func (s settings) differ(given settings) string {
	var words []string
	add := func(what, stored, asked string) {
		if stored != asked {
			words = append(words, fmt.Sprintf("%s: stored %s, this program asks for %s", what, stored, asked))
		}
	}
	reads := func(s settings) string { s.types, s.lanes = nil, 1; return s.String() }
	types := func(s settings) string {
		if len(s.types) == 0 {
			return "all"
		}
		return quoted(s.types)
	}
	add("what it reads", reads(s), reads(given))
	add("types", types(s), types(given))
	add("lanes", strconv.Itoa(max(s.lanes, 1)), strconv.Itoa(max(given.lanes, 1)))
	if s.lanes > 1 && given.lanes > 1 {
		add("key", strconv.Quote(s.key), strconv.Quote(given.key))
	}
	return strings.Join(words, "; ")
}
