package runtime_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/internal/bank"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
)

// An id that a user has chosen must not be able to forge a line of a log.
func TestErrorsShowNamesOnOneLine(t *testing.T) {
	t.Parallel()
	const id, name = "a\n1\x1b", "bank-a\n1\x1b"
	ctx, db := t.Context(), memory.New(memory.Config{})
	acct := bank.StreamOf(db, id)
	stored(t)(acct.Append(ctx, store.NoStream, bank.AccountOpened{}))
	var errs []error
	failed := func(_ store.Appended, err error) { errs = append(errs, err) }
	failed(acct.Append(ctx, store.NoStream, bank.AccountOpened{}))
	failed(acct.Append(ctx, store.Any))
	failed(acct.Append(ctx, store.Any, nil))
	failed(acct.With(es.EventIDs(uuid.New(), uuid.New())).Append(ctx, store.Any, bank.AccountOpened{}))
	failed(acct.With(es.At{}).Append(ctx, store.Any, bank.AccountOpened{}))
	failed(acct.Execute(ctx, nil))
	failed(acct.With(es.Retries(0)).Execute(ctx, func(bank.Account) ([]bank.Event, error) {
		stored(t)(acct.Append(ctx, store.Any, bank.MoneyDeposited{Amount: 1}))
		return []bank.Event{bank.MoneyDeposited{Amount: 2}}, nil
	}))
	_, err := db.Append(ctx, store.Batch{Stream: name, Expected: store.Any, Events: []store.Event{
		{Type: "un\nknown", Format: store.JSON, Data: []byte(`{}`)},
	}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = collect(acct.Read(ctx, 0))
	errs = append(errs, err)
	for _, err := range errs {
		switch {
		case err == nil:
			t.Error("a call succeeded that was to fail")
		case strings.ContainsAny(err.Error(), "\n\x1b"):
			t.Errorf("a name is not quoted in %q", err)
		}
	}
}

// Of several settings that are wrong the same one is named each time.
func TestAtomicNamesTheFirstWrongSetting(t *testing.T) {
	t.Parallel()
	db := memory.New(memory.Config{})
	for range 20 {
		_, err := es.Atomic(t.Context(), db, func(context.Context, store.Streams) error { return nil },
			es.At(time.Now()), es.Causation(uuid.New()), es.Correlation(uuid.New()), es.Metadata{"a": 1}, es.Key("k"))
		if !errors.Is(err, store.ErrInvalid) || !strings.Contains(err.Error(), "setting es.Key: ") {
			t.Fatalf("Atomic returned %v, want one that names es.Key", err)
		}
	}
}
