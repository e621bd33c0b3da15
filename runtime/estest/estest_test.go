package estest_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/esgen/esgen/runtime/estest"
	"github.com/esgen/esgen/runtime/internal/bank"
)

func TestThenTakesTheEventsThatWereDecided(t *testing.T) {
	t.Parallel()
	open := bank.Fold(bank.AccountOpened{Owner: "ada"}, bank.MoneyDeposited{Amount: 50})
	estest.When(t, open, bank.Withdraw(30)).Then(bank.MoneyWithdrawn{Amount: 30})
	estest.When(t, open, bank.Open("ada", "EUR")).Then()
	estest.When(t, open, bank.Withdraw(51)).ThenError(bank.ErrInsufficient)
}

func TestThenFailsWithAReadableText(t *testing.T) {
	t.Parallel()
	type timed struct {
		At     time.Time
		hidden int
	}
	noon := time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)
	errOther := errors.New("something else")
	decide := func(events []any, err error) func(int) ([]any, error) {
		return func(int) ([]any, error) { return events, err }
	}
	deposit := bank.MoneyDeposited{Amount: 1}
	for _, c := range []struct {
		name string
		ask  func(testing.TB)
		want []string
	}{
		{"other amount", func(t testing.TB) {
			estest.When(t, 0, decide([]any{deposit}, nil)).Then(bank.MoneyDeposited{Amount: 2})
		}, []string{"-expected +decided", "Amount", "2", "1"}},
		{"other type", func(t testing.TB) {
			estest.When(t, 0, decide([]any{deposit}, nil)).Then(bank.MoneyWithdrawn{Amount: 1})
		}, []string{"MoneyWithdrawn", "MoneyDeposited"}},
		{"pointer", func(t testing.TB) {
			estest.When(t, 0, decide([]any{&deposit}, nil)).Then(deposit)
		}, []string{"-expected +decided"}},
		{"too many", func(t testing.TB) {
			estest.When(t, 0, decide([]any{deposit, deposit}, nil)).Then(deposit)
		}, []string{"-expected +decided"}},
		{"too few", func(t testing.TB) {
			estest.When(t, 0, decide(nil, nil)).Then(deposit)
		}, []string{"-expected +decided"}},
		{"other order", func(t testing.TB) {
			estest.When(t, 0, decide([]any{1, 2}, nil)).Then(2, 1)
		}, []string{"-expected +decided"}},
		{"unexported field", func(t testing.TB) {
			estest.When(t, 0, decide([]any{timed{noon, 1}}, nil)).Then(timed{noon, 2})
		}, []string{"hidden"}},
		{"error instead of events", func(t testing.TB) {
			estest.When(t, 0, decide(nil, errOther)).Then(deposit)
		}, []string{"error instead of 1 events", "something else"}},
		{"events instead of error", func(t testing.TB) {
			estest.When(t, 0, decide([]any{deposit}, nil)).ThenError(bank.ErrNotOpen)
		}, []string{"1 events instead of the error", "account is not open", "Amount:1"}},
		{"nothing instead of error", func(t testing.TB) {
			estest.When(t, 0, decide(nil, nil)).ThenError(bank.ErrNotOpen)
		}, []string{"0 events instead of the error"}},
		{"nil instead of an error", func(t testing.TB) {
			estest.When(t, 0, decide([]any{deposit}, nil)).ThenError(nil)
		}, []string{"expects an error, not nil; use Then", "1 events"}},
		{"nil instead of an error that was decided", func(t testing.TB) {
			estest.When(t, 0, decide(nil, errOther)).ThenError(nil)
		}, []string{"expects an error, not nil; use Then", "something else"}},
		{"other error", func(t testing.TB) {
			estest.When(t, 0, decide(nil, errOther)).ThenError(bank.ErrNotOpen)
		}, []string{"account is not open", "something else"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			spy := &recorder{TB: t}
			spy.run(c.ask)
			for _, word := range c.want {
				if !strings.Contains(spy.text, word) {
					t.Errorf("said %q, want %q in it", spy.text, word)
				}
				if strings.Contains(spy.text, "%!") {
					t.Errorf("said %q, which is not formatted", spy.text)
				}
			}
		})
	}
}

func TestThenComparesTimesAsInstants(t *testing.T) {
	t.Parallel()
	noon := time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)
	there := noon.In(time.FixedZone("there", 3600))
	estest.When(t, 0, func(int) ([]any, error) { return []any{noon}, nil }).Then(there)
}

// recorder keeps the failure of a test that is meant to fail.
type recorder struct {
	testing.TB
	text string
}

func (r *recorder) Helper() {}

func (r *recorder) Fatalf(format string, args ...any) {
	r.text = fmt.Sprintf(format, args...)
	panic(r)
}

func (r *recorder) run(f func(testing.TB)) {
	defer func() {
		if v := recover(); v != nil && v != r {
			panic(v)
		}
	}()
	f(r)
}
