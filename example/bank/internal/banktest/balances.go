package banktest

import (
	"context"
	"errors"
	"testing"

	"github.com/esgen/esgen/example/bank"
	"github.com/esgen/esgen/runtime/store"
)

// Balances returns the projection of all that db holds now.
func Balances(t *testing.T, db store.Store) *bank.Balances {
	t.Helper()
	var balances bank.Balances
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	sub, err := balances.Subscription(db)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- sub.Run(ctx) }()
	select {
	case <-sub.Live():
		stop()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	case err := <-ended:
		t.Fatal(err)
	}
	return &balances
}
