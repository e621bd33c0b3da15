// Package jsontext checks that JSON text can be stored by every store without
// being changed: encoders replace invalid UTF-8 silently, and PostgreSQL's jsonb
// refuses escapes that JSON allows.
package jsontext

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// Check returns an error unless data is valid JSON of one value, in valid UTF-8,
// without \u0000 and without unpaired surrogate escapes.
func Check(data []byte) error {
	if err := CheckText(data); err != nil {
		return err
	}
	if !json.Valid(data) {
		return errors.New("not valid JSON")
	}
	return nil
}

// CheckJSONB is Check for text that PostgreSQL is to keep as jsonb: it also
// refuses numbers that this cannot hold.
func CheckJSONB(data []byte) error {
	if err := Check(data); err != nil {
		return err
	}
	return CheckDepth(data, math.MaxInt, true)
}

// CheckObject is CheckJSONB for text that must be an object.
func CheckObject(data []byte) error {
	if err := CheckJSONB(data); err != nil {
		return err
	}
	if trimmed := bytes.TrimLeft(data, " \t\r\n"); trimmed[0] != '{' {
		return errors.New("not a JSON object")
	}
	return nil
}

// CheckText is the part of Check that encoders do not do: UTF-8 and escapes.
// data must come from an encoder that writes valid JSON. It allocates nothing.
func CheckText(data []byte) error {
	if plain(data) {
		return nil
	}
	if !utf8.Valid(data) {
		return errors.New("holds invalid UTF-8")
	}
	for at := bytes.IndexByte(data, '\\'); at >= 0; {
		next := at + 2
		if r, ok := escaped(data, at); ok {
			next = at + 6
			if r == 0 {
				return errors.New("holds U+0000, which databases cannot store")
			}
			if utf16.IsSurrogate(r) {
				low, ok := escaped(data, next)
				if !ok || utf16.DecodeRune(r, low) == utf8.RuneError {
					return fmt.Errorf("holds the unpaired surrogate %s", data[at:at+6])
				}
				next += 6
			}
		}
		if next >= len(data) {
			return nil
		}
		found := bytes.IndexByte(data[next:], '\\')
		if found < 0 {
			return nil
		}
		at = next + found
	}
	return nil
}

// plain reports whether data is ASCII without a backslash, as most of it is. It looks
// at eight bytes at a time.
func plain(data []byte) bool {
	const ones, tops, slashes = 0x0101010101010101, 0x8080808080808080, 0x5c5c5c5c5c5c5c5c
	for ; len(data) >= 8; data = data[8:] {
		x := binary.LittleEndian.Uint64(data)
		// The top bit of a byte is set in s-ones if it is 0 in s, so a backslash
		// in x; what a borrow sets further up is looked at again.
		if s := x ^ slashes; (x|(s-ones))&tops != 0 {
			return false
		}
	}
	for _, b := range data {
		if b >= utf8.RuneSelf || b == '\\' {
			return false
		}
	}
	return true
}

// Replaced reports whether data, which encoding/json has written, holds the escape
// \ufffd: so it writes what it puts in the place of invalid UTF-8. U+FFFD that was
// in the text stays as it is.
func Replaced(data []byte) bool {
	for at := 0; at < len(data); at++ {
		if data[at] != '\\' {
			continue
		}
		if r, ok := escaped(data, at); ok && r == utf8.RuneError {
			return true
		}
		at++ // what is escaped may be another backslash
	}
	return false
}

// escaped decodes the \uXXXX escape that begins at data[at].
func escaped(data []byte, at int) (rune, bool) {
	if len(data) < at+6 || data[at] != '\\' || data[at+1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(data[at+2:at+6]), 16, 16)
	return rune(n), err == nil
}
