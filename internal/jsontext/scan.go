package jsontext

import (
	"errors"
	"fmt"
	"strconv"
)

// Bounds of PostgreSQL's numeric, in which jsonb keeps numbers.
const (
	maxNumericDigits   = 131072
	maxNumericFraction = 16383
)

// CheckDepth returns an error if objects and arrays nest more than limit deep, or,
// with numeric, if a number is out of the range of PostgreSQL's jsonb. data must
// be valid JSON. It allocates nothing.
func CheckDepth(data []byte, limit int, numeric bool) error {
	depth := 0
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case c == '"':
			for i++; i < len(data) && data[i] != '"'; i++ {
				if data[i] == '\\' {
					i++
				}
			}
		case c == '{' || c == '[':
			if depth++; depth > limit {
				return fmt.Errorf("nests more than %d levels deep", limit)
			}
		case c == '}' || c == ']':
			depth--
		case numeric && (c == '-' || '0' <= c && c <= '9'):
			end := i + 1
			for end < len(data) && isNumber(data[end]) {
				end++
			}
			if !inNumericRange(data[i:end]) {
				return errors.New("holds a number out of the range that jsonb can store: at most 131072 digits before the decimal point and 16383 after it")
			}
			i = end - 1
		}
	}
	return nil
}

func isNumber(c byte) bool {
	return '0' <= c && c <= '9' || c == '.' || c == 'e' || c == 'E' || c == '+' || c == '-'
}

// inNumericRange counts the digits that number has without its exponent.
func inNumericRange(number []byte) bool {
	whole, fraction := 0, 0
	point := false
	for i, c := range number {
		switch {
		case c == '.':
			point = true
		case c == 'e' || c == 'E':
			exponent, err := strconv.Atoi(string(number[i+1:]))
			// The bounds come first, so that no sum overflows.
			if err != nil || exponent > maxNumericDigits || exponent < -maxNumericFraction {
				return false
			}
			return whole+exponent <= maxNumericDigits && fraction-exponent <= maxNumericFraction
		case point:
			fraction++
		case '0' <= c && c <= '9':
			whole++
		}
	}
	return whole <= maxNumericDigits && fraction <= maxNumericFraction
}
