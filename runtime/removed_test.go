package runtime_test

import (
	"context"
	"errors"
	"testing"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/internal/bank"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
)

func TestAStreamThatWasTruncatedToNothingGoesOnAtItsVersion(t *testing.T) {
	t.Parallel()
	for _, how := range []store.Removal{store.Soft, store.Hard} {
		ctx, db := t.Context(), memory.New(memory.Config{HardDeletes: true})
		never := es.OnRetry(func(r es.Retry) { t.Errorf("%s: retry: %v", how, r) })
		acct := bank.StreamOf(db, "a").With(never)
		stored(t)(acct.Append(ctx, store.NoStream, deposits(1, 2)...))
		_, version, err := acct.Load(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Truncate(ctx, "bank-a", version+1, how); err != nil {
			t.Fatal(err)
		}
		if state, at, err := acct.Load(ctx); err != nil || at != version || state != (bank.Account{}) {
			t.Errorf("%s: load: %+v at %v, %v, want nothing at %v", how, state, at, err, version)
		}
		if a := stored(t)(acct.Execute(ctx, bank.Open("ada", "EUR"))); a.Version != version+1 {
			t.Errorf("%s: execute: %+v, want version %v", how, a, version+1)
		}
		if err := db.Truncate(ctx, "bank-a", version+2, how); err != nil {
			t.Fatal(err)
		}
		_, err = es.Atomic(ctx, db, func(ctx context.Context, s store.Streams) error {
			in := bank.StreamOf(s, "a")
			if _, at, err := in.Load(ctx); err != nil || at != version+1 {
				t.Errorf("%s: load in a unit of work: %v, %v, want %v", how, at, err, version+1)
			}
			a, err := in.Append(ctx, store.StreamExists, deposits(7)[:1]...)
			if a.Version != version+2 {
				t.Errorf("%s: append in a unit of work: %+v, want version %v", how, a, version+2)
			}
			return err
		}, never)
		if err != nil {
			t.Errorf("%s: unit of work: %v", how, err)
		}
	}
}

// The last of a stream were links, whose events are gone: no read shows that it had
// versions beyond its last event.
func TestExecuteGoesOnBehindLinksThatAreGone(t *testing.T) {
	t.Parallel()
	ctx, db := t.Context(), memory.New(memory.Config{HardDeletes: true})
	acct := bank.StreamOf(db, "a")
	stored(t)(acct.Execute(ctx, bank.Open("ada", "EUR")))
	stored(t)(bank.StreamOf(db, "b").Append(ctx, store.NoStream, deposits(5)...))
	for r, err := range db.Read(ctx, store.Query{Stream: "bank-b"}) {
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Link(ctx, "bank-a", store.Any, r.ID); err != nil {
			t.Fatal(err)
		}
	}
	info, err := db.StreamInfo(ctx, "bank-a")
	if err != nil || info.Version < 2 {
		t.Fatalf("%+v, %v, want links behind the event", info, err)
	}
	if err := db.Delete(ctx, "bank-b", store.Any, store.Hard); err != nil {
		t.Fatal(err)
	}
	if a := stored(t)(acct.Execute(ctx, bank.Deposit(3))); a.Version != info.Version+1 {
		t.Errorf("execute: %+v, want version %v", a, info.Version+1)
	}
	if state, _, err := acct.Load(ctx); err != nil || state.Balance != 3 {
		t.Errorf("load: %+v, %v, want the deposit", state, err)
	}
}

func TestADeletedStreamIsNeitherReadNorDecided(t *testing.T) {
	t.Parallel()
	ctx, db := t.Context(), memory.New(memory.Config{})
	acct := bank.StreamOf(db, "a")
	stored(t)(acct.Execute(ctx, bank.Open("ada", "EUR")))
	if err := db.Delete(ctx, "bank-a", 1, store.Soft); err != nil {
		t.Fatal(err)
	}
	decide := func(bank.Account) ([]bank.Event, error) {
		t.Error("decided on a deleted stream")
		return nil, nil
	}
	_, _, loading := acct.Load(ctx)
	_, executing := acct.Execute(ctx, decide)
	_, appending := acct.Append(ctx, store.Any, deposits(1)...)
	var reading error
	for _, err := range acct.Read(ctx, 0) {
		reading = err
	}
	_, working := es.Atomic(ctx, db, func(ctx context.Context, s store.Streams) error {
		_, err := bank.StreamOf(s, "a").Append(ctx, 1, deposits(1)...)
		return err
	})
	for what, err := range map[string]error{
		"load": loading, "execute": executing, "append": appending, "read": reading, "unit of work": working,
	} {
		if !errors.Is(err, store.ErrStreamDeleted) || store.Retryable(err) {
			t.Errorf("%s: %v, want a StreamDeletedError", what, err)
		}
	}
}
