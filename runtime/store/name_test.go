package store_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/esgen/esgen/runtime/store"
)

func TestCategoryPrecedesTheFirstDash(t *testing.T) {
	t.Parallel()
	for stream, want := range map[string]string{
		"bank-a-17": "bank", "bank-": "bank", "bank": "", "-1": "", "": "", "bänk-1": "bänk", "a--b": "a",
	} {
		if got := store.Category(stream); got != want {
			t.Errorf("Category(%q) is %q, want %q", stream, got, want)
		}
	}
}

func TestNamesAreChecked(t *testing.T) {
	t.Parallel()
	longest := strings.Repeat("n", store.MaxStreamBytes)
	for _, c := range []struct {
		name                     string
		stream, category, subscr bool
	}{
		{"bank", true, true, true},
		{"bank-1", true, false, true},
		{"ä 𝄞 %_'\"\\", true, true, true},
		{"", false, false, false},
		{"$all", false, true, true},
		{"$", false, true, true},
		{"a$", true, true, true},
		{"a\x00", false, false, false},
		{"a\xff", false, false, false},
		{longest, true, true, false},
		{longest + "n", false, false, false},
		{longest[:store.MaxNameBytes], true, true, true},
		{longest[:store.MaxNameBytes+1], true, true, false},
	} {
		for what, err := range map[string]error{"stream": store.CheckStream(c.name), "category": store.CheckCategory(c.name), "subscription": store.CheckSubscription(c.name)} {
			want := map[string]bool{"stream": c.stream, "category": c.category, "subscription": c.subscr}[what]
			if (err == nil) != want {
				t.Errorf("%.40q as a name of a %s: %v, want it taken: %t", c.name, what, err, want)
			}
			if err != nil && !errors.Is(err, store.ErrInvalid) {
				t.Errorf("%v is no ErrInvalid", err)
			}
			if err != nil && len(err.Error()) > 200 {
				t.Errorf("the error is %d bytes long: %v", len(err.Error()), err)
			}
		}
	}
}
