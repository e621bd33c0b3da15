package bank_test

import (
	"math"
	"testing"

	"github.com/esgen/esgen/example/bank"
)

func TestMoneyIsPrintedAndParsedExactly(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		money          bank.Money
		plain, grouped string
	}{
		{0, "0.00", "0.00"},
		{5, "0.05", "0.05"},
		{-5, "-0.05", "-0.05"},
		{12_34, "12.34", "12.34"},
		{-123_45, "-123.45", "-123.45"},
		{1234_56, "1234.56", "1 234.56"},
		{-123456_78, "-123456.78", "-123 456.78"},
		{-1234567_89, "-1234567.89", "-1 234 567.89"},
		{math.MaxInt64, "92233720368547758.07", "92 233 720 368 547 758.07"},
		{math.MinInt64, "-92233720368547758.08", "-92 233 720 368 547 758.08"},
	} {
		if got := c.money.String(); got != c.plain {
			t.Errorf("%d is printed %q, want %q", int64(c.money), got, c.plain)
		}
		if got := c.money.Group(); got != c.grouped {
			t.Errorf("%d is grouped %q, want %q", int64(c.money), got, c.grouped)
		}
		if got, err := bank.ParseMoney(c.plain); got != c.money || err != nil {
			t.Errorf("%q is parsed as %d, %v, want %d", c.plain, int64(got), err, int64(c.money))
		}
	}
}

func TestParseMoneyTakesShortForms(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bank.Money{"12": 12_00, "12.3": 12_30, "007.50": 7_50, "-0": 0, "-1.5": -1_50} {
		if got, err := bank.ParseMoney(text); got != want || err != nil {
			t.Errorf("%q is parsed as %d, %v, want %d", text, int64(got), err, int64(want))
		}
	}
}

func TestParseMoneyRefusesWhatIsNotExact(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                     `amount "" is empty`,
		"-":                    `amount "-" is not a number such as 12.34`,
		".5":                   `amount ".5" is not a number such as 12.34`,
		"5.":                   `amount "5." is not a number such as 12.34`,
		"1,50":                 `amount "1,50" is not a number such as 12.34`,
		"1e3":                  `amount "1e3" is not a number such as 12.34`,
		" 12":                  `amount " 12" is not a number such as 12.34`,
		"+12":                  `amount "+12" is not a number such as 12.34`,
		"--12":                 `amount "--12" is not a number such as 12.34`,
		"0x10":                 `amount "0x10" is not a number such as 12.34`,
		"٣":                    `amount "٣" is not a number such as 12.34`,
		"12.345":               `amount "12.345" has more than two decimals`,
		"1.2.3":                `amount "1.2.3" is not a number such as 12.34`,
		"92233720368547758.08": `amount "92233720368547758.08" is larger than 92233720368547758.07`,
	} {
		if got, err := bank.ParseMoney(text); err == nil || err.Error() != want {
			t.Errorf("%q is parsed as %d, %v, want %s", text, int64(got), err, want)
		}
	}
}

func FuzzParseMoney(f *testing.F) {
	for _, seed := range []string{"12.34", "-0.05", "1e3", "", "92233720368547758.08", "-92233720368547758.08"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		money, err := bank.ParseMoney(text)
		if err != nil {
			return
		}
		again, err := bank.ParseMoney(money.String())
		if err != nil || again != money {
			t.Errorf("%q is %d, printed as %s, which is %d, %v", text, int64(money), money, int64(again), err)
		}
	})
}
