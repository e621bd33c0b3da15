package postgres_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/esgen/esgen/runtime/store"
)

// TestAPositionIsNotGivenAgainByTheTransactionThatRemovesIt appends first and removes
// the last event then, in one transaction: the append is settled first, and sees the
// order without what is being removed.
func TestAPositionIsNotGivenAgainByTheTransactionThatRemovesIt(t *testing.T) {
	t.Parallel()
	s := open(t)
	mustAppend(t, s, one("a-1", 0))
	mustAppend(t, s, one("b-1", 0)) // position 2
	tx := beginTx(t, pgx.ReadCommitted)
	in := s.WithTx(tx)
	mustAppend(t, in, one("a-1", 1))
	if err := in.Delete(t.Context(), "b-1", store.Any, store.Hard); err != nil {
		t.Fatal(err)
	}
	commit(t, tx)
	all, err := collect(s.Read(t.Context(), store.Query{}))
	if err != nil || len(all) != 2 {
		t.Fatalf("%+v, %v", all, err)
	}
	if all[1].Position != 3 {
		t.Errorf("the new event is at position %d, which belonged to the removed one; want 3", all[1].Position)
	}
}
