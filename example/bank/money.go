package bank

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Money is an amount in minor units: 12_34 is 12.34. It is an integer because
// money is counted: 0.1 + 0.2 is 0.3 here.
type Money int64

// MaxMoney is the largest amount that an account can hold.
const MaxMoney Money = math.MaxInt64

// String returns the amount with two decimals: "12.34", "-0.05".
func (m Money) String() string {
	sign := ""
	if m < 0 {
		sign = "-"
	}
	// The negative of the least int64 does not fit an int64, but it fits a uint64.
	units := uint64(m)
	if m < 0 {
		units = -units
	}
	return fmt.Sprintf("%s%d.%02d", sign, units/100, units%100)
}

// Group returns the amount as String does, its thousands set apart: "1 234.50".
func (m Money) Group() string {
	plain := m.String()
	digits := len(plain) - len(".00")
	var b strings.Builder
	for i, c := range plain {
		if left := digits - i; i > 0 && left > 0 && left%3 == 0 && plain[i-1] != '-' {
			b.WriteByte(' ')
		}
		b.WriteRune(c)
	}
	return b.String()
}

// ParseMoney is the reverse of String: "12.34", "12.3" and "12" are amounts;
// "12.345", "1,50", "1e3" and " 12" are not. The error is an [AmountError].
func ParseMoney(text string) (Money, error) {
	whole, cents, hasPoint := strings.Cut(strings.TrimPrefix(text, "-"), ".")
	wrong := func(reason string) (Money, error) { return 0, AmountError{Text: text, Reason: reason} }
	switch {
	case text == "":
		return wrong("is empty")
	case !isDigits(whole) || hasPoint && !isDigits(cents):
		return wrong("is not a number such as 12.34")
	case len(cents) > 2:
		return wrong("has more than two decimals")
	}
	cents += "00"[len(cents):]
	digits := whole + cents
	if strings.HasPrefix(text, "-") {
		digits = "-" + digits
	}
	units, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return wrong("is larger than " + MaxMoney.String())
	}
	return Money(units), nil
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// Currency is a currency in which accounts are kept, by its ISO 4217 code.
type Currency string

// Currencies of this bank. All have two decimals; one that has not (JPY) needs
// more than a row here.
const (
	CHF Currency = "CHF"
	EUR Currency = "EUR"
	GBP Currency = "GBP"
	USD Currency = "USD"
)

// Currencies returns all of them, by code.
func Currencies() []Currency { return []Currency{CHF, EUR, GBP, USD} }

// ParseCurrency returns the currency with this code, or a [CurrencyError].
func ParseCurrency(code string) (Currency, error) {
	if c := Currency(code); slices.Contains(Currencies(), c) {
		return c, nil
	}
	return "", CurrencyError{Code: code}
}
