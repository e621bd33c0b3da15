package bank_test

import (
	"context"
	"errors"
	"iter"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/esgen/esgen/example/bank"
	"github.com/esgen/esgen/example/bank/internal/banktest"
	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newBank opens three accounts in EUR, a-1 with 100.00, b-2 and e-5 with nothing,
// and one in CHF, c-3.
func newBank(t *testing.T, db store.Store) bank.Bank {
	t.Helper()
	b := bank.New(db)
	for account, c := range map[string]bank.Currency{"a-1": bank.EUR, "b-2": bank.EUR, "c-3": bank.CHF, "e-5": bank.EUR} {
		if _, err := b.Open(t.Context(), account, "Ada Lovelace", c); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.Deposit(t.Context(), "a-1", 100_00, bank.EUR); err != nil {
		t.Fatal(err)
	}
	return b
}

func holds(t *testing.T, b bank.Bank, account string, want bank.Money) {
	t.Helper()
	if a, _, err := b.Account(t.Context(), account); err != nil || a.Balance != want {
		t.Errorf("%s holds %s, %v, want %s", account, a.Balance, err, want)
	}
}

func TestACommandWithAKeyIsCarriedOutOnce(t *testing.T) {
	t.Parallel()
	banktest.OnEveryStore(t, func(t *testing.T, db store.Store) {
		b := newBank(t, db)
		first, err := b.Deposit(t.Context(), "b-2", 5_00, "", es.Key("k"))
		if err != nil || first.Duplicate {
			t.Fatalf("%+v, %v", first, err)
		}
		if _, err := b.Withdraw(t.Context(), "b-2", 1_00, ""); err != nil {
			t.Fatal(err)
		}
		again, err := b.Deposit(t.Context(), "b-2", 5_00, "", es.Key("k"))
		if err != nil || !again.Duplicate || again.Version != first.Version {
			t.Errorf("the second time: %+v, %v", again, err)
		}
		holds(t, b, "b-2", 4_00)
	})
}

func TestATransferIsMadeOnce(t *testing.T) {
	t.Parallel()
	banktest.OnEveryStore(t, func(t *testing.T, db store.Store) {
		b := newBank(t, db)
		order := bank.Transfer{ID: "t-1", From: "a-1", To: "b-2", Amount: 30_00}
		// Many at once, as an impatient client sends them.
		var clients sync.WaitGroup
		duplicates := make(chan bool, 6)
		for range cap(duplicates) {
			clients.Go(func() {
				sent, err := b.Transfer(t.Context(), order)
				if err != nil {
					t.Error(err)
				}
				duplicates <- sent.Duplicate
			})
		}
		clients.Wait()
		close(duplicates)
		made := 0
		for duplicate := range duplicates {
			if !duplicate {
				made++
			}
		}
		if made != 1 {
			t.Errorf("the transfer was made %d times", made)
		}
		holds(t, b, "a-1", 70_00)
		holds(t, b, "b-2", 30_00)

		// The same identity for another transfer is found to be made, or refused.
		if _, err := b.Deposit(t.Context(), "e-5", 50_00, ""); err != nil {
			t.Fatal(err)
		}
		other := order
		other.From = "e-5"
		if sent, err := b.Transfer(t.Context(), other); !errors.Is(err, bank.TransferReusedError{Transfer: "t-1"}) {
			t.Errorf("another sender under the same identity: %+v, %v", sent, err)
		}
		other.From, other.To = "b-2", "a-1"
		if sent, err := b.Transfer(t.Context(), other); err != nil || !sent.Duplicate {
			t.Errorf("the reverse under the same identity: %+v, %v", sent, err)
		}
		other.From, other.To = "a-1", "c-3"
		if sent, err := b.Transfer(t.Context(), other); err != nil || !sent.Duplicate {
			t.Errorf("another receiver under the same identity: %+v, %v", sent, err)
		}
		holds(t, b, "a-1", 70_00)
		holds(t, b, "b-2", 30_00)
		holds(t, b, "c-3", 0)
		holds(t, b, "e-5", 50_00)
	})
}

// TestARepeatBetweenTheTwoReadsIsFound stores the very same transfer after the
// sender was read and before the receiver is.
func TestARepeatBetweenTheTwoReadsIsFound(t *testing.T) {
	t.Parallel()
	db := memory.New(memory.Config{})
	b := newBank(t, db)
	order := bank.Transfer{ID: "t-1", From: "a-1", To: "b-2", Amount: 30_00}
	slow := &interrupted{Store: db, stream: "bank-b-2", once: sync.OnceFunc(func() {
		if _, err := b.Transfer(t.Context(), order); err != nil {
			t.Error(err)
		}
	})}
	sent, err := bank.New(slow).Transfer(t.Context(), order)
	if err != nil || !sent.Duplicate {
		t.Errorf("the slower of two: %+v, %v", sent, err)
	}
	holds(t, b, "a-1", 70_00)
	holds(t, b, "b-2", 30_00)
}

// interrupted is a store in which something happens before a stream is read.
type interrupted struct {
	store.Store
	stream string
	once   func()
}

func (i *interrupted) Read(ctx context.Context, q store.Query) iter.Seq2[store.Recorded, error] {
	if q.Stream == i.stream {
		i.once()
	}
	return i.Store.Read(ctx, q)
}

func TestARefusedHalfStoresNothing(t *testing.T) {
	t.Parallel()
	banktest.OnEveryStore(t, func(t *testing.T, db store.Store) {
		b := newBank(t, db)
		if _, err := b.Close(t.Context(), "b-2"); err != nil {
			t.Fatal(err)
		}
		before := read(t, db)
		for _, c := range []struct {
			order bank.Transfer
			want  error
		}{
			{bank.Transfer{From: "a-1", To: "b-2", Amount: 1_00}, bank.ErrClosed},
			{bank.Transfer{From: "a-1", To: "d-4", Amount: 1_00}, bank.ErrNotOpen},
			{bank.Transfer{From: "d-4", To: "a-1", Amount: 1_00}, bank.ErrNotOpen},
			{bank.Transfer{From: "a-1", To: "c-3", Amount: 1_00}, bank.CurrencyMismatchError{Account: bank.CHF, Given: bank.EUR}},
			{bank.Transfer{From: "a-1", To: "c-3", Amount: 1_00, Currency: bank.CHF}, bank.CurrencyMismatchError{Account: bank.EUR, Given: bank.CHF}},
			{bank.Transfer{From: "a-1", To: "a-1", Amount: 1_00}, bank.ErrSameAccount},
			{bank.Transfer{From: "a-1", To: "c-3", Amount: 100_01}, bank.InsufficientFundsError{Balance: 100_00, Amount: 100_01}},
			{bank.Transfer{From: "a-1", To: "c 3", Amount: 1_00}, bank.AccountNameError{Name: "c 3"}},
			{bank.Transfer{From: "", To: "c-3", Amount: 1_00}, bank.AccountNameError{}},
		} {
			if _, err := b.Transfer(t.Context(), c.order); !errors.Is(err, c.want) {
				t.Errorf("%+v: %v, want %v", c.order, err, c.want)
			} else if bank.Refusal(err) == "" {
				t.Errorf("%+v: %v is no refusal", c.order, err)
			}
		}
		if diff := cmp.Diff(before, read(t, db)); diff != "" {
			t.Errorf("events (-before +after):\n%s", diff)
		}
	})
}

// TestNobodySeesHalfATransfer reads all events again and again while money goes
// back and forth. The two halves must be there together, side by side.
func TestNobodySeesHalfATransfer(t *testing.T) {
	t.Parallel()
	banktest.OnEveryStore(t, func(t *testing.T, db store.Store) {
		b := newBank(t, db)
		if _, err := b.Deposit(t.Context(), "b-2", 100_00, ""); err != nil {
			t.Fatal(err)
		}
		var clients sync.WaitGroup
		for _, order := range []bank.Transfer{{From: "a-1", To: "b-2", Amount: 1}, {From: "b-2", To: "a-1", Amount: 1}} {
			clients.Go(func() {
				for range 25 {
					if _, err := b.Transfer(t.Context(), order); err != nil && !errors.Is(err, store.ErrConflict) {
						t.Error(err)
					}
				}
			})
		}
		finished := make(chan struct{})
		go func() { clients.Wait(); close(finished) }()
		for reads, last := 0, false; !last; reads++ {
			select {
			case <-finished:
				last = true
			default:
			}
			events := read(t, db)
			for i := 0; i < len(events); i++ {
				if events[i].Type == bank.TransferReceivedName {
					t.Fatalf("read %d: position %d is a second half without a first", reads, events[i].Position)
				}
				if events[i].Type != bank.TransferSentName {
					continue
				}
				if i++; i == len(events) || events[i].Type != bank.TransferReceivedName || events[i].Position != events[i-1].Position+1 {
					t.Fatalf("read %d: position %d is a first half without its second", reads, events[i-1].Position)
				}
			}
		}
	})
}

func TestStatement(t *testing.T) {
	t.Parallel()
	b := bank.New(memory.New(memory.Config{}))
	ctx := t.Context()
	at := func(hour int) es.Setting { return es.At(time.Date(2025, 1, 31, hour, 0, 0, 0, time.UTC)) }
	must := func(_ store.Appended, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(b.Open(ctx, "a-1", "Ada", bank.EUR, at(8)))
	must(b.Open(ctx, "b-2", "Bob", bank.EUR, at(8)))
	must(b.Deposit(ctx, "a-1", 50_00, bank.EUR, at(9), es.Metadata{bank.Text: "tips"}))
	must(b.Transfer(ctx, bank.Transfer{From: "a-1", To: "b-2", Amount: 20_00}, at(10)))
	must(b.Transfer(ctx, bank.Transfer{From: "b-2", To: "a-1", Amount: 5_00}, at(11)))
	must(b.Withdraw(ctx, "a-1", 35_00, bank.EUR, at(12)))
	must(b.Close(ctx, "a-1", at(13)))

	hour := func(h int) time.Time { return time.Date(2025, 1, 31, h, 0, 0, 0, time.UTC) }
	want := []bank.Entry{
		{Version: 1, Time: hour(8), What: "opened for Ada in EUR"},
		{Version: 2, Time: hour(9), What: "deposit", Text: "tips", Amount: 50_00, Balance: 50_00},
		{Version: 3, Time: hour(10), What: "transfer to b-2", Amount: -20_00, Balance: 30_00},
		{Version: 4, Time: hour(11), What: "transfer from b-2", Amount: 5_00, Balance: 35_00},
		{Version: 5, Time: hour(12), What: "withdrawal", Amount: -35_00},
		{Version: 6, Time: hour(13), What: "closed"},
	}
	var got []bank.Entry
	for e, err := range b.Statement(ctx, "a-1") {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, e)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("statement (-want +got):\n%s", diff)
	}
	for _, err := range b.Statement(ctx, "d-4") {
		if !errors.Is(err, bank.ErrNotOpen) {
			t.Errorf("statement of an unknown account: %v", err)
		}
	}
}

func TestRefusalIsEmptyForFailures(t *testing.T) {
	t.Parallel()
	for _, err := range []error{nil, context.Canceled, &store.UnavailableError{Op: "append", Err: errors.New("away")}, &store.ConflictError{}} {
		if got := bank.Refusal(err); got != "" {
			t.Errorf("%v is the refusal %q", err, got)
		}
	}
}

func read(t *testing.T, db store.Store) []store.Recorded {
	t.Helper()
	var all []store.Recorded
	for r, err := range db.Read(t.Context(), store.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}
