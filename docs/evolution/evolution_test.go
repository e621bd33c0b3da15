package evolution_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/esgen/esgen/docs/evolution"
	"github.com/esgen/esgen/internal/pages"
	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
	"github.com/esgen/esgen/runtime/typeregistry"
)

// TestPageShowsThisCode holds that the Go code of the page is compiled and tested, and
// that what it shows of stored bytes is what is stored.
func TestPageShowsThisCode(t *testing.T) {
	t.Parallel()
	page := pages.Open(t, "docs/evolution.md")
	page.Compiled("docs/evolution/event.go", "docs/evolution/upcast.go", "docs/evolution/source.go", "docs/evolution/account.go",
		"docs/evolution/evolution.es.go", "docs/evolution/evolution_test.go")
	db := memory.New(memory.Config{})
	appended(t)(evolution.StreamOf(db, "1").Append(t.Context(), store.NoStream,
		evolution.Deposited{Cents: 5000, Currency: "EUR", Source: evolution.Transfer{IBAN: "DE02120300000000202051"}}))
	for r := range db.Read(t.Context(), store.Query{}) {
		if shown := page.Blocks("json")[0]; strings.TrimSpace(shown) != string(r.Data) {
			t.Errorf("stored %s, and the page shows %s", r.Data, shown)
		}
	}
}

func appended(t *testing.T) func(store.Appended, error) {
	return func(_ store.Appended, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
}

// history holds a stream as it has grown over the years.
func history(t *testing.T) *memory.Store {
	t.Helper()
	db := memory.New(memory.Config{})
	for _, e := range []store.Event{
		{Type: "account.created", Data: []byte(`{"owner":"Ada"}`)},
		{Type: "account.deposited", Data: []byte(`{"amount":10.1}`)},
		{Type: "account.statement_viewed", Data: []byte(`{}`)},
		{Type: "account.booked", Data: []byte(`{"cents":-10}`)},
		{Type: "account.booked", Data: []byte(`{"cents":0}`)},
		{Type: "account.overdraft_granted", Data: []byte(`{"cents":700}`)},
		{Type: "account.deposited", Revision: 2, Data: []byte(`{"amount":20,"currency":"USD"}`)},
		{Type: "account.deposited", Revision: 3, Data: []byte(`{"cents":3,"currency":"EUR","source":{"transfer":{"iban":"DE02"}}}`)},
	} {
		e.Format = store.JSON
		_, err := db.Append(t.Context(), store.Batch{Stream: "account-1", Expected: store.Any, Events: []store.Event{e}})
		if err != nil {
			t.Fatal(err)
		}
	}
	return db
}

func TestWhatWasStoredIsRead(t *testing.T) {
	t.Parallel()
	var got []evolution.Event
	for r, err := range evolution.StreamOf(history(t), "1").Read(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, r.Event)
	}
	want := []evolution.Event{
		evolution.Opened{Owner: "Ada"},
		evolution.Deposited{Cents: 1010, Currency: "EUR", Source: evolution.Cash{}},
		evolution.Withdrawn{Cents: 10},
		evolution.OverdraftGranted{Cents: 700},
		evolution.Deposited{Cents: 2000, Currency: "USD", Source: evolution.Cash{}},
		evolution.Deposited{Cents: 3, Currency: "EUR", Source: evolution.Transfer{IBAN: "DE02"}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("read %+v", got)
	}
}

func TestSkipsAreCounted(t *testing.T) {
	t.Parallel()
	db := history(t)
	if err := skips(t, t.Context(), db); err != nil {
		t.Error(err)
	}
}

func skips(t *testing.T, ctx context.Context, db store.Streams) error {
	t.Helper()
	skipped := map[string]int{}
	acct := evolution.StreamOf(db, "1").With(es.OnSkip(func(s es.Skipped) { skipped[s.Type]++ }))
	account, version, err := acct.Load(ctx)
	if err != nil {
		return err
	}
	if account != (evolution.Account{Balance: 3003, Limit: 700}) || version != 8 {
		t.Errorf("%+v at %d", account, version)
	}
	if skipped["account.booked"] != 1 || skipped["account.statement_viewed"] != 1 {
		t.Errorf("skipped %v", skipped)
	}
	return nil
}

func TestUpcastersThatFailSayWhere(t *testing.T) {
	t.Parallel()
	db := memory.New(memory.Config{})
	_, err := db.Append(t.Context(), store.Batch{Stream: "account-1", Events: []store.Event{
		{Type: "account.deposited", Revision: 2, Format: store.JSON, Data: []byte(`{"amount":-1}`)},
	}})
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = evolution.StreamOf(db, "1").Load(t.Context())
	var unreadable *es.ReadError
	if !errors.As(err, &unreadable) {
		t.Fatal(err)
	}
	const shown = `read version 1 of account-1 (account.deposited revision 2 at position 1): upcast "account.deposited" revision 2: a deposit of -1`
	if unreadable.Error() != shown || !slices.Contains(pages.Open(t, "docs/evolution.md").Blocks("text"), shown+"\n") {
		t.Errorf("%v", unreadable)
	}
}

func TestRetiredIsNotAppended(t *testing.T) {
	t.Parallel()
	_, err := evolution.StreamOf(memory.New(memory.Config{}), "1").
		Append(t.Context(), store.NoStream, evolution.OverdraftGranted{Cents: 1})
	if _, ok := errors.AsType[*typeregistry.RetiredTypeError](err); !ok || !errors.Is(err, store.ErrInvalid) {
		t.Error(err)
	}
}

func TestFilters(t *testing.T) {
	t.Parallel()
	n, err := deposits(t.Context(), history(t))
	if n != 5 || err != nil {
		t.Errorf("%d: %v", n, err)
	}
}

func deposits(ctx context.Context, db store.Streams) (n int, err error) {
	names := evolution.Types.Stored(evolution.DepositedName) // and account.booked
	for _, err := range db.Read(ctx, store.Query{Types: names}) {
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

func TestSnapshots(t *testing.T) {
	t.Parallel()
	db := history(t)
	var seen []es.Snapshot
	acct := evolution.StreamOf(db, "1").With(es.SnapshotEvery(5), es.OnSnapshot(func(s es.Snapshot) { seen = append(seen, s) }))
	for range 2 {
		if a, version, err := acct.Load(t.Context()); a.Balance != 3003 || version != 8 || err != nil {
			t.Errorf("%+v at %d: %v", a, version, err)
		}
	}
	want := []es.Snapshot{{Stream: "account-1", Version: 8, Saved: true}, {Stream: "account-1", Version: 8}}
	if !slices.Equal(seen, want) {
		t.Errorf("%+v", seen)
	}
}
