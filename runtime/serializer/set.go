package serializer

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Set is the formats that a program can read, by name. It never changes, so it is
// safe for concurrent use. The zero Set knows no format; begin with [Default].
type Set struct{ formats map[string]Serializer }

// Default returns the formats of this package: json, jsonb and msgpack, as their
// zero values.
func Default() Set { return Set{}.With(JSON{}, JSONB{}, Msgpack{}) }

// With returns a copy of s that also has these formats. One of the same name is
// replaced, so Default().With(JSON{Standard: true}) changes the encoder of json.
func (s Set) With(formats ...Serializer) Set {
	grown := maps.Clone(s.formats)
	if grown == nil {
		grown = make(map[string]Serializer, len(formats))
	}
	for _, f := range formats {
		grown[f.Format()] = f
	}
	return Set{grown}
}

// Get returns the serializer of format, or an [*UnknownFormatError]. It does not
// allocate when it succeeds.
func (s Set) Get(format string) (Serializer, error) {
	if f, ok := s.formats[format]; ok {
		return f, nil
	}
	return nil, &UnknownFormatError{Format: format, Known: s.Formats()}
}

// Formats returns the names of the formats, sorted.
func (s Set) Formats() []string { return slices.Sorted(maps.Keys(s.formats)) }

// UnknownFormatError tells that a payload is stored in a format that this binary
// has no serializer for.
type UnknownFormatError struct {
	Format string
	// Known are the formats that this binary has, sorted.
	Known []string
}

func (e *UnknownFormatError) Error() string {
	known := "none"
	if len(e.Known) > 0 {
		known = strings.Join(e.Known, ", ")
	}
	return fmt.Sprintf("format %q: no serializer is registered under this name, known are: %s; register it, or deploy a binary that has it", e.Format, known)
}
