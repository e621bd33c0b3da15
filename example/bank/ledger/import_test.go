package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/esgen/esgen/example/bank"
	"github.com/esgen/esgen/example/bank/internal/banktest"
	"github.com/esgen/esgen/example/bank/internal/recount"
	"github.com/esgen/esgen/example/bank/ledger"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
)

// TestTheLedgerComesToWhatAPlainLoopMakesOfIt imports the committed ledger and
// compares every balance, and every rejected line, with an independent count.
func TestTheLedgerComesToWhatAPlainLoopMakesOfIt(t *testing.T) {
	t.Parallel()
	file := readLedger(t)
	if testing.Short() {
		file = firstLines(file, 2001)
	}
	want := recount.Count(file)
	banktest.OnEveryStore(t, func(t *testing.T, db store.Store) {
		summary := importAll(t, db, file, 8)
		if summary.Accepted != want.Accepted || summary.AlreadyImported != 0 || summary.Lines != strings.Count(file, "\n")-1 {
			t.Errorf("%d accepted and %d already imported of %d lines, want %d and 0 of %d",
				summary.Accepted, summary.AlreadyImported, summary.Lines, want.Accepted, strings.Count(file, "\n")-1)
		}
		if diff := cmp.Diff(want.Rejected, linesOf(summary.Rejected)); diff != "" {
			t.Errorf("rejected lines (-counted +imported):\n%s", diff)
		}
		if !testing.Short() {
			everyKind(t, summary)
		}
		compareBalances(t, db, want)

		again := importAll(t, db, file, 8)
		if again.Accepted != 0 || again.AlreadyImported != want.Accepted {
			t.Errorf("the second time %d accepted and %d already imported, want 0 and %d", again.Accepted, again.AlreadyImported, want.Accepted)
		}
		if diff := cmp.Diff(summary.Rejected, again.Rejected); diff != "" {
			t.Errorf("rejected the second time (-first +second):\n%s", diff)
		}
		compareBalances(t, db, want)
	})
}

// everyKind fails the test unless the ledger shows every way to be rejected.
func everyKind(t *testing.T, summary ledger.Summary) {
	t.Helper()
	if share := float64(len(summary.Rejected)) / float64(summary.Lines); share < 0.02 || share > 0.03 {
		t.Errorf("%.1f %% of the lines are rejected, want 2 to 3", 100*share)
	}
	missing := map[string]bool{
		"account closed": true, "account open already": true, "amount not positive": true, "bad account name": true,
		"bad amount": true, "bad quotes": true, "bad time": true, "balance overflow": true, "field too many": true,
		"insufficient funds": true, "money left": true, "no owner": true, "no reference": true, "not UTF-8": true,
		"reference used twice": true, "transfer to itself": true, "unknown account": true, "unknown currency": true,
		"unknown operation": true, "wrong currency": true, "wrong number of fields": true,
	}
	for _, count := range summary.Kinds() {
		delete(missing, count.Kind)
	}
	if len(missing) > 0 {
		t.Errorf("no line is rejected for %v", missing)
	}
}

// TestAnInterruptedImportGoesOn fails the store at every so-many-th append. What
// was refused before the failure must not be accepted after it.
func TestAnInterruptedImportGoesOn(t *testing.T) {
	t.Parallel()
	file := firstLines(readLedger(t), 1500)
	want := recount.Count(file)
	for _, workers := range []int{1, 4} {
		t.Run(fmt.Sprintf("%d workers", workers), func(t *testing.T) {
			t.Parallel()
			db := &failing{Store: memory.New(memory.Config{}), every: 97}
			var summary ledger.Summary
			var err error
			interruptions := 0
			for err = errAway; errors.Is(err, errAway); interruptions++ {
				summary, err = ledger.Import(t.Context(), db, strings.NewReader(file), ledger.Config{Workers: workers})
			}
			if err != nil || interruptions < 10 {
				t.Fatalf("after %d interruptions: %v", interruptions, err)
			}
			if diff := cmp.Diff(want.Rejected, linesOf(summary.Rejected)); diff != "" {
				t.Errorf("rejected lines (-counted +imported):\n%s", diff)
			}
			if got := summary.Accepted + summary.AlreadyImported; got != want.Accepted {
				t.Errorf("%d operations are stored, want %d", got, want.Accepted)
			}
			compareBalances(t, db, want)
		})
	}
}

func TestAFailureNamesItsLine(t *testing.T) {
	t.Parallel()
	db := &failing{Store: memory.New(memory.Config{}), every: 2}
	file := ledger.Header + "\n" +
		"2025-01-01T08:00:00Z,open,a-1,,,EUR,Ada,,r1\n" +
		"2025-01-01T08:00:00Z,deposit,a-1,,5.00,EUR,,,r2\n"
	summary, err := ledger.Import(t.Context(), db, strings.NewReader(file), ledger.Config{})
	want := "line 3: deposit 5.00 to a-1: the store is away"
	if err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	if summary.Accepted != 1 || summary.Lines != 1 {
		t.Errorf("%d of %d lines accepted, want 1 of 1", summary.Accepted, summary.Lines)
	}
}

func TestACancelledImportStops(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	lines := 0
	summary, err := ledger.Import(ctx, memory.New(memory.Config{}), strings.NewReader(readLedger(t)), ledger.Config{
		Progress: func(int64) {
			if lines++; lines == 100 {
				cancel()
			}
		},
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
	if summary.Lines < 100 || summary.Lines > 102 {
		t.Errorf("%d lines were imported after an interruption behind the 100th", summary.Lines)
	}
}

func TestACorrectedLineIsImported(t *testing.T) {
	t.Parallel()
	db := memory.New(memory.Config{})
	file := func(text, amount string) string {
		return ledger.Header + "\n" +
			"2025-01-01T08:00:00Z,open,a-1,,,EUR,Ada,,r1\n" +
			"2025-01-01T08:00:00Z,deposit,a-1,,5.00,EUR,," + text + ",r2\n" +
			"2025-01-01T08:00:00Z,withdraw,a-1,," + amount + ",EUR,,,r3\n"
	}
	want := []ledger.Rejection{{
		Line: 4, Kind: "insufficient funds",
		Reason: "withdraw 5.01 from a-1: insufficient funds: the balance is 5.00, the amount 5.01",
	}}
	if diff := cmp.Diff(want, importAll(t, db, file("", "5.01"), 1).Rejected); diff != "" {
		t.Errorf("rejected (-want +got):\n%s", diff)
	}
	// What was accepted is known by its reference, whatever else the line says now.
	corrected := importAll(t, db, file("tips", "4.99"), 1)
	if corrected.Accepted != 1 || corrected.AlreadyImported != 2 || len(corrected.Rejected) != 0 {
		t.Errorf("the corrected file gives %+v, want 1 accepted and 2 already imported", corrected)
	}
}

// importAll fails the test if the import does.
func importAll(t *testing.T, db store.Streams, file string, workers int) ledger.Summary {
	t.Helper()
	summary, err := ledger.Import(t.Context(), db, strings.NewReader(file), ledger.Config{Workers: workers})
	if err != nil {
		t.Fatal(err)
	}
	return summary
}

func readLedger(t *testing.T) string {
	t.Helper()
	file, err := os.ReadFile("../ledger.csv")
	if err != nil {
		t.Fatal(err)
	}
	return string(file)
}

func firstLines(file string, n int) string {
	return strings.Join(strings.SplitAfter(file, "\n")[:n], "")
}

func linesOf(rejected []ledger.Rejection) []int {
	numbers := make([]int, len(rejected))
	for i, r := range rejected {
		numbers[i] = r.Line
	}
	return numbers
}

// compareBalances compares the projection with the count.
func compareBalances(t *testing.T, db store.Store, want recount.Result) {
	t.Helper()
	type row struct {
		owner, currency string
		closed          bool
		units           string
	}
	counted, projected := map[string]row{}, map[string]row{}
	for name, a := range want.Accounts {
		counted[name] = row{a.Owner, a.Currency, a.Closed, a.Units.String()}
	}
	all, _ := banktest.Balances(t, db).All()
	for _, b := range all {
		projected[b.Name] = row{b.Owner, string(b.Currency), b.Status == bank.Closed, big.NewInt(int64(b.Balance)).String()}
	}
	if diff := cmp.Diff(counted, projected, cmp.AllowUnexported(row{})); diff != "" {
		t.Errorf("accounts (-counted +projected):\n%s", diff)
	}
}

var errAway = errors.New("the store is away")

// failing is a store whose appends fail every so often.
type failing struct {
	store.Store
	every   int64
	appends atomic.Int64
}

func (f *failing) Append(ctx context.Context, batches ...store.Batch) ([]store.Appended, error) {
	if f.appends.Add(1)%f.every == 0 {
		return nil, errAway
	}
	return f.Store.Append(ctx, batches...)
}
