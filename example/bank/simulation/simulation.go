// Package simulation lets many tellers work on the same accounts at once, through
// the same commands as everybody, and then counts the money.
package simulation

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/esgen/esgen/example/bank"
	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/store"
)

// Config is how much happens. The zero value works.
type Config struct {
	// Tellers work at once. Defaults to 8.
	Tellers int
	// Accounts that they work on; few are much in demand. At least 2. Defaults
	// to 10.
	Accounts int
	// Operations in all. Defaults to 1000.
	Operations int
	// Seed of what the tellers choose. How they meet is up to the machine.
	// Defaults to 1.
	Seed uint64
}

// opening is what every account holds in the beginning.
const opening bank.Money = 100_00

// Result is what happened, and what the money comes to.
type Result struct {
	// Prefix of the names of the accounts, which no other run has.
	Prefix string
	// Deposits, Withdrawals and Transfers that were carried out.
	Deposits, Withdrawals, Transfers int
	// Refused counts operations by the reason why the bank refused them.
	Refused map[string]int
	// Conflicts counts attempts that met the work of another teller and were
	// decided again. GivenUp operations met one too often; they changed nothing.
	Conflicts, GivenUp int
	// Elapsed is the time that the tellers took.
	Elapsed time.Duration

	// PaidIn and PaidOut are what crossed the counter.
	PaidIn, PaidOut bank.Money
	// InStreams is the sum of all balances, by the accounts' streams;
	// InProjection is the same by the projection.
	InStreams, InProjection bank.Money
}

// Expected is what all accounts together must hold.
func (r Result) Expected() bank.Money { return r.PaidIn - r.PaidOut }

// Conserved tells whether no cent was lost or made.
func (r Result) Conserved() bool {
	return r.InStreams == r.Expected() && r.InProjection == r.Expected()
}

// Run opens accounts of its own in db, lets the tellers work, and counts. The
// error is the first failure that is neither a refusal nor a conflict.
func Run(ctx context.Context, db store.Store, c Config) (Result, error) {
	orElse := func(n *int, value int) {
		if *n == 0 {
			*n = value
		}
	}
	orElse(&c.Tellers, 8)
	orElse(&c.Accounts, 10)
	orElse(&c.Operations, 1000)
	if c.Seed == 0 {
		c.Seed = 1
	}
	if c.Tellers < 1 || c.Accounts < 2 || c.Operations < 1 {
		return Result{}, fmt.Errorf("simulate with %d tellers, %d accounts and %d operations: at least 1, 2 and 1 are needed", c.Tellers, c.Accounts, c.Operations)
	}
	s := &simulation{result: Result{Prefix: "sim-" + uuid.NewString()[:8], Refused: make(map[string]int)}}
	// More tellers than accounts: the default of ten retries is meant for streams
	// that are fought over now and then, these always are.
	s.bank = bank.New(db, es.Retries(100), es.OnRetry(func(es.Retry) { s.tell(func(r *Result) { r.Conflicts++ }) }))
	if err := s.open(ctx, c.Accounts); err != nil {
		return s.result, err
	}
	began := time.Now()
	if err := s.work(ctx, c); err != nil {
		return s.result, err
	}
	s.result.Elapsed = time.Since(began)
	return s.result, s.count(ctx, db)
}

type simulation struct {
	bank     bank.Bank
	accounts []string

	mu     sync.Mutex
	result Result
}

func (s *simulation) open(ctx context.Context, accounts int) error {
	for i := range accounts {
		name := fmt.Sprintf("%s-%d", s.result.Prefix, i+1)
		s.accounts = append(s.accounts, name)
		if _, err := s.bank.Open(ctx, name, "Simulation", bank.EUR); err != nil {
			return err
		}
		if _, err := s.bank.Deposit(ctx, name, opening, bank.EUR); err != nil {
			return err
		}
		s.result.PaidIn += opening
	}
	return nil
}

// work lets the tellers share the operations out. The first failure stops all.
func (s *simulation) work(ctx context.Context, c Config) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var tellers sync.WaitGroup
	for i := range c.Tellers {
		share := c.Operations / c.Tellers
		if i < c.Operations%c.Tellers {
			share++
		}
		chance := rand.New(rand.NewPCG(c.Seed, uint64(i)))
		tellers.Go(func() {
			for range share {
				if ctx.Err() != nil {
					return
				}
				if err := s.operate(ctx, chance); err != nil {
					stop(err)
				}
			}
		})
	}
	tellers.Wait()
	return context.Cause(ctx)
}

// operate carries one operation out. Refusals and conflicts are results here.
func (s *simulation) operate(ctx context.Context, chance *rand.Rand) error {
	from := chance.IntN(len(s.accounts))
	amount := bank.Money(1 + chance.IntN(120_00))
	var done func(*Result)
	var err error
	switch chance.IntN(4) {
	case 0:
		_, err = s.bank.Deposit(ctx, s.accounts[from], amount, bank.EUR)
		done = func(r *Result) { r.Deposits++; r.PaidIn += amount }
	case 1:
		_, err = s.bank.Withdraw(ctx, s.accounts[from], amount, bank.EUR)
		done = func(r *Result) { r.Withdrawals++; r.PaidOut += amount }
	default:
		to := (from + 1 + chance.IntN(len(s.accounts)-1)) % len(s.accounts)
		_, err = s.bank.Transfer(ctx, bank.Transfer{From: s.accounts[from], To: s.accounts[to], Amount: amount})
		done = func(r *Result) { r.Transfers++ }
	}
	switch kind := bank.Refusal(err); {
	case kind != "":
		done = func(r *Result) { r.Refused[kind]++ }
	case ctx.Err() == nil && errors.Is(err, store.ErrConflict):
		done = func(r *Result) { r.GivenUp++ }
	case err != nil:
		return err
	}
	s.tell(done)
	return nil
}

// count adds the balances up, in two ways that share only the events.
func (s *simulation) count(ctx context.Context, db store.Store) error {
	var balances bank.Balances
	if err := balances.CatchUp(ctx, db); err != nil {
		return err
	}
	for _, name := range s.accounts {
		account, _, err := s.bank.Account(ctx, name)
		if err != nil {
			return err
		}
		s.result.InStreams += account.Balance
		s.result.InProjection += balances.Of(name).Balance
	}
	return nil
}

func (s *simulation) tell(change func(*Result)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.result)
}
