package lock

import (
	"slices"
	"strconv"
	"strings"
)

// Type is a field's type as the file has it, taken apart: "map<string,array<int64>>".
// The words are any, bool, string, int8 to int64, uint8 to uint64, float32, float64,
// bytes, time, duration, uuid, raw, number; text<T> and custom<T> of Go types that
// write themselves; optional<T>, array<T>, array4<T>, map<K,V>; and #T@hash, a
// definition.
type Type struct {
	Word string
	Args []Type
}

// Words that are looked for.
const (
	wordOptional = "optional"
	wordText     = "text"
	wordCustom   = "custom"
	wordInt      = "int"
	wordUint     = "uint"
	wordString   = "string"
)

// parseType takes a text apart. What is none becomes a word of its own, which equals
// nothing else.
func parseType(text string) Type {
	open := strings.IndexByte(text, '<')
	if open < 0 || !strings.HasSuffix(text, ">") || text[0] == '#' {
		return Type{Word: text}
	}
	t := Type{Word: text[:open]}
	inner := text[open+1 : len(text)-1]
	if t.Word == wordText || t.Word == wordCustom {
		t.Args = []Type{{Word: inner}}
		return t
	}
	depth, from := 0, 0
	for i, r := range inner {
		switch r {
		case '<', '[':
			depth++
		case '>', ']':
			depth--
		case ',':
			if depth == 0 {
				t.Args = append(t.Args, parseType(inner[from:i]))
				from = i + 1
			}
		}
	}
	t.Args = append(t.Args, parseType(inner[from:]))
	return t
}

// isWhole reports whether a type has what it is of.
func (t Type) isWhole() bool {
	want := 0
	switch word := t.Word; {
	case word == wordOptional, word == wordText, word == wordCustom, strings.HasPrefix(word, "array"):
		want = 1
	case word == "map":
		want = 2
	}
	return len(t.Args) == want && !slices.ContainsFunc(t.Args, func(a Type) bool {
		return t.Word != wordText && t.Word != wordCustom && !a.isWhole()
	})
}

func (t Type) String() string {
	if len(t.Args) == 0 {
		return t.Word
	}
	args := make([]string, len(t.Args))
	for i, a := range t.Args {
		args[i] = a.String()
	}
	return t.Word + "<" + strings.Join(args, ",") + ">"
}

// isRef reports whether the type is a definition.
func (t Type) isRef() bool { return strings.HasPrefix(t.Word, "#") }

// number returns int, uint or float and the bits.
func (t Type) number() (base string, bits int) {
	for _, base := range []string{wordInt, wordUint, "float"} {
		if rest, ok := strings.CutPrefix(t.Word, base); ok {
			if bits, err := strconv.Atoi(rest); err == nil {
				return base, bits
			}
		}
	}
	return "", 0
}

// holds reports whether every number of type from is one of type t.
func (t Type) holds(from Type) bool {
	base, bits := t.number()
	other, otherBits := from.number()
	switch {
	case base == "" || other == "":
		return false
	case base == other:
		return bits >= otherBits
	case base == wordInt && other == wordUint:
		return bits > otherBits
	default:
		return false // a float is written otherwise, and loses large whole numbers
	}
}
