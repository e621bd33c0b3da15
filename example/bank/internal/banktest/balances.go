package banktest

import (
	"testing"

	"github.com/esgen/esgen/example/bank"
	"github.com/esgen/esgen/runtime/store"
)

// Balances returns the projection of all that db holds now.
func Balances(t *testing.T, db store.Store) *bank.Balances {
	t.Helper()
	var balances bank.Balances
	if err := balances.CatchUp(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	return &balances
}
