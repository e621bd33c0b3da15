package ledger_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/esgen/esgen/example/bank"
	"github.com/esgen/esgen/example/bank/ledger"
	"github.com/esgen/esgen/runtime/store/memory"
)

func TestParseLine(t *testing.T) {
	t.Parallel()
	got, err := ledger.ParseLine(7, `2025-01-31T10:30:00+01:00,transfer,a-1,b-2,12.3,EUR,,"rent, ""old"" flat",r-1`)
	if err != nil {
		t.Fatal(err)
	}
	if want := time.Date(2025, 1, 31, 9, 30, 0, 0, time.UTC); !got.Time.Equal(want) {
		t.Errorf("time %s, want %s", got.Time, want)
	}
	got.Time, got.Fingerprint = time.Time{}, ""
	want := ledger.Line{
		Number: 7, Operation: "transfer", Account: "a-1", Counterparty: "b-2", Amount: 12_30, Currency: bank.EUR,
		Text: `rent, "old" flat`, Reference: "r-1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("line (-want +got):\n%s", diff)
	}
}

func TestLinesThatCannotBeReadAreNamed(t *testing.T) {
	t.Parallel()
	const at = "2025-01-31T10:30:00Z,"
	for _, c := range []struct{ line, kind, reason string }{
		{at + "deposit,a-1,,5.00,EUR,,r1", "wrong number of fields", "8 instead of 9 fields"},
		{at + "deposit,a-1,,5.00,EUR,,,r1,", "wrong number of fields", "10 instead of 9 fields"},
		{at + "Deposit,a-1,,5.00,EUR,,,r1", "unknown operation", `operation "Deposit" is not open, deposit, withdraw, transfer or close`},
		{at + "deposit,a-1,,5,00,EUR,,r1", "field too many", `deposit takes no owner, but "EUR" is given`},
		{at + `deposit,a-1,,"5,00",EUR,,,r1`, "bad amount", `amount "5,00" is not a number such as 12.34`},
		{at + "deposit,a-1,,,EUR,,,r1", "bad amount", `amount "" is empty`},
		{at + "deposit,a-1,,5.00,eur,,,r1", "unknown currency", `"eur" is no currency of this bank; it keeps CHF, EUR, GBP and USD`},
		{at + "deposit,a-1,b-2,5.00,EUR,,,r1", "field too many", `deposit takes no counterparty, but "b-2" is given`},
		{at + "close,a-1,,,EUR,,,r1", "field too many", `close takes no currency, but "EUR" is given`},
		{at + "deposit,a-1,,5.00,EUR,,,", "no reference", "the reference is empty"},
		{"31.01.2025,deposit,a-1,,5.00,EUR,,,r1", "bad time", `time "31.01.2025" is not like 2025-01-31T09:30:00Z`},
		{"0000-01-01T00:00:00Z,deposit,a-1,,5.00,EUR,,,r1", "bad time", `time "0000-01-01T00:00:00Z" is not like 2025-01-31T09:30:00Z`},
		{at + `deposit,"a-1,,5.00,EUR,,,r1`, "bad quotes", `extraneous or missing " in quoted-field`},
		{at + `deposit,a"1,,5.00,EUR,,,r1`, "bad quotes", `bare " in non-quoted-field`},
		{at + "deposit,a-1,,5.00,EUR,,caf\xe9,r1", "not UTF-8", "the line is not valid UTF-8"},
		{at + "deposit,a-1,,5.00,EUR,,\x00,r1", "zero byte", "the line holds a zero byte"},
	} {
		_, err := ledger.ParseLine(2, c.line)
		if diff := cmp.Diff(&ledger.LineError{Kind: c.kind, Reason: c.reason}, err); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.line, diff)
		}
	}
}

func TestOddFiles(t *testing.T) {
	t.Parallel()
	const line = "2025-01-01T08:00:00Z,open,a-1,,,EUR,Ada,,r1"
	long := strings.Repeat("x", 200_000)
	for name, c := range map[string]struct {
		file               string
		accepted, rejected int
		err                string
	}{
		"Windows":      {file: "\ufeff" + ledger.Header + "\r\n\r\n" + line + "\r\n", accepted: 1},
		"no last end":  {file: ledger.Header + "\n" + line, accepted: 1},
		"header only":  {file: ledger.Header},
		"long line":    {file: ledger.Header + "\n" + long + "\n" + line + "\n", accepted: 1, rejected: 1},
		"long last":    {file: ledger.Header + "\n" + line + "\n" + long, accepted: 1, rejected: 1},
		"twice":        {file: ledger.Header + "\n" + line + "\n" + line + "\n", accepted: 1, rejected: 1},
		"empty":        {err: `line 1 is ""; a ledger begins with the header ` + ledger.Header},
		"other header": {file: "a,b\n1,2\n", err: `line 1 is "a,b"; a ledger begins with the header ` + ledger.Header},
	} {
		summary, err := ledger.Import(t.Context(), memory.New(memory.Config{}), strings.NewReader(c.file), ledger.Config{})
		if err == nil && c.err != "" || err != nil && err.Error() != c.err {
			t.Errorf("%s: error %v, want %q", name, err, c.err)
		}
		if summary.Accepted != c.accepted || len(summary.Rejected) != c.rejected {
			t.Errorf("%s: %d accepted, %v rejected, want %d and %d", name, summary.Accepted, summary.Rejected, c.accepted, c.rejected)
		}
	}
}

func FuzzParseLine(f *testing.F) {
	f.Add("2025-01-31T10:30:00Z,transfer,a-1,b-2,12.3,EUR,,\"rent, \"\"old\"\" flat\",r-1")
	f.Add("2025-01-31T10:30:00Z,open,a-1,,,EUR,Ada,,r-1")
	f.Add(`,,,,"`)
	f.Fuzz(func(t *testing.T, text string) {
		line, err := ledger.ParseLine(2, text)
		if _, ok := errors.AsType[*ledger.LineError](err); err != nil && (!ok || err.Error() == "") {
			t.Errorf("%q gives %+v, %v", text, line, err)
		}
	})
}
