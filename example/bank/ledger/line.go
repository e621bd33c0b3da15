package ledger

import (
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/esgen/esgen/example/bank"
)

// Header is the first line of every file.
const Header = "time,operation,account,counterparty,amount,currency,owner,text,reference"

var columns = strings.Split(Header, ",")

// Columns that not every operation uses.
const (
	counterpartyColumn = "counterparty"
	amountColumn       = "amount"
	currencyColumn     = "currency"
	ownerColumn        = "owner"
)

// Line is an operation as it stands in a file.
type Line struct {
	// Number in the file, from 1, which is the header.
	Number                int
	Time                  time.Time
	Operation             string
	Account, Counterparty string
	Amount                bank.Money
	Currency              bank.Currency
	Owner, Text           string
	Reference             string
	// Fingerprint is the same for lines of the same text.
	Fingerprint string
}

// LineError tells why a line is no operation.
type LineError struct {
	// Kind is its short name, to count by.
	Kind string
	// Reason is the whole of it.
	Reason string
}

func (e *LineError) Error() string { return e.Reason }

// uses names the columns that an operation needs beside time, account and
// reference. The others but text stay empty.
var uses = map[string][]string{
	"open":     {currencyColumn, ownerColumn},
	"deposit":  {amountColumn, currencyColumn},
	"withdraw": {amountColumn, currencyColumn},
	"transfer": {counterpartyColumn, amountColumn, currencyColumn},
	"close":    {},
}

// ParseLine reads the text of a line, without its end. The error is a
// [*LineError].
func ParseLine(number int, text string) (Line, error) {
	if !utf8.ValidString(text) {
		return Line{}, &LineError{"not UTF-8", "the line is not valid UTF-8"}
	}
	if strings.Contains(text, "\x00") {
		return Line{}, &LineError{"zero byte", "the line holds a zero byte"}
	}
	r := csv.NewReader(strings.NewReader(text))
	r.FieldsPerRecord = -1
	fields, err := r.Read()
	if err != nil {
		if parse, ok := errors.AsType[*csv.ParseError](err); ok {
			err = parse.Err
		}
		return Line{}, &LineError{"bad quotes", err.Error()}
	}
	if len(fields) != len(columns) {
		return Line{}, &LineError{"wrong number of fields", fmt.Sprintf("%d instead of %d fields", len(fields), len(columns))}
	}
	return parseFields(number, text, fields)
}

func parseFields(number int, text string, fields []string) (Line, error) {
	value := make(map[string]string, len(columns))
	for i, name := range columns {
		value[name] = fields[i]
	}
	line := Line{
		Number: number, Operation: value["operation"],
		Account: value["account"], Counterparty: value[counterpartyColumn],
		Currency: bank.Currency(value[currencyColumn]),
		Owner:    value[ownerColumn], Text: value["text"], Reference: value["reference"],
	}
	sum := sha256.Sum256([]byte(text))
	line.Fingerprint = hex.EncodeToString(sum[:16])

	needs, known := uses[line.Operation]
	if !known {
		return Line{}, &LineError{"unknown operation", fmt.Sprintf("operation %q is not open, deposit, withdraw, transfer or close", line.Operation)}
	}
	for _, name := range [...]string{counterpartyColumn, amountColumn, currencyColumn, ownerColumn} {
		if value[name] != "" && !slices.Contains(needs, name) {
			return Line{}, &LineError{"field too many", fmt.Sprintf("%s takes no %s, but %q is given", line.Operation, name, value[name])}
		}
	}
	if line.Reference == "" {
		return Line{}, &LineError{"no reference", "the reference is empty"}
	}
	var err error
	if line.Time, err = time.Parse(time.RFC3339, value["time"]); err != nil || line.Time.UTC().Year() < 1 {
		return Line{}, &LineError{"bad time", fmt.Sprintf("time %q is not like 2025-01-31T09:30:00Z", value["time"])}
	}
	if slices.Contains(needs, amountColumn) {
		if line.Amount, err = bank.ParseMoney(value[amountColumn]); err != nil {
			return Line{}, refused(err)
		}
	}
	if slices.Contains(needs, currencyColumn) {
		if line.Currency, err = bank.ParseCurrency(value[currencyColumn]); err != nil {
			return Line{}, refused(err)
		}
	}
	return line, nil
}

// refused makes a LineError of what package bank refuses to read.
func refused(err error) error { return &LineError{bank.Refusal(err), err.Error()} }
