package guides_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/esgen/esgen/example/bank"
	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/postgres"
)

func TestFormatsAndSQL(t *testing.T) {
	t.Parallel()
	db, pool := open(t)
	check(t, formats(t, t.Context(), db, pool))

	if got := rows(t, pool, sqlOf(t, "formats", "Query payloads")[0]); !slices.Equal(got, []string{"bank-a-17 | -2000", "bank-b-4 | 7000"}) {
		t.Errorf("balances: %q", got)
	}
	if got := rows(t, pool, sqlOf(t, "formats", "Query payloads")[1]); !slices.Equal(got, []string{"1 | Ada", "4 | Bob"}) {
		t.Errorf("owners: %q", got)
	}
	if got := rows(t, pool, sqlOf(t, "formats", "Query metadata")[0]); !slices.Equal(got, []string{"north | 1", "south | 1"}) {
		t.Errorf("tenants: %q", got)
	}
	indexes := sqlOf(t, "formats", "Indexes")
	if got := rows(t, pool, indexes[0]); !slices.Equal(got, []string{"3 | bank.money_withdrawn"}) {
		t.Errorf("of the north: %q", got)
	}
	// The planner takes an index for so few rows only if it must.
	plan := strings.Join(rows(t, pool, "SET enable_seqscan = off; SET enable_bitmapscan = off; EXPLAIN "+indexes[0]), "\n")
	if !strings.Contains(plan, postgres.ByMetadata("tenant").Name()) {
		t.Errorf("the plan does without the index:\n%s", plan)
	}
	execute(t, pool, indexes[1])
	check(t, db.Check(t.Context()))
}

func formats(t *testing.T, ctx context.Context, db *postgres.Store, pool *pgxpool.Pool) error {
	t.Helper()
	_, err := bank.StreamOf(db, "a-17").Append(ctx, store.NoStream, bank.AccountOpened{Owner: "Ada", Currency: bank.EUR}, bank.MoneyDeposited{Amount: 50_00})
	if err != nil {
		return err
	}
	jsonb, err := postgres.New(pool, postgres.Config{Format: store.JSONB})
	if err != nil {
		return err
	}
	for _, tenant := range []struct {
		id, name string
		expected store.Version
		events   []bank.Event
	}{
		{"a-17", "north", 2, []bank.Event{bank.MoneyWithdrawn{Amount: 20_00}}},
		{"b-4", "", 0, []bank.Event{bank.AccountOpened{Owner: "Bob", Currency: bank.EUR}}},
		{"b-4", "south", 1, []bank.Event{bank.MoneyDeposited{Amount: 70_00}}},
	} {
		stream := bank.StreamOf(jsonb, tenant.id)
		if tenant.name != "" {
			stream = stream.With(es.Metadata{"tenant": tenant.name})
		}
		if _, err := stream.Append(ctx, tenant.expected, tenant.events...); err != nil {
			return err
		}
	}
	// A stream that holds both is one stream, for stores of either format.
	for _, s := range []store.Streams{db, jsonb} {
		if account, version, err := bank.StreamOf(s, "a-17").Load(ctx); err != nil || version != 3 || account.Balance != 30_00 {
			t.Errorf("%+v at %d, %v", account, version, err)
		}
	}
	_, err = bank.StreamOf(jsonb, "c-1").Append(ctx, store.NoStream, bank.AccountOpened{Owner: "\x00", Currency: bank.EUR})
	if err == nil {
		t.Error("jsonb took U+0000")
	}

	north := store.Query{Metadata: map[string]string{"tenant": "north"}}
	for r, err := range db.Read(ctx, north) {
		if err != nil {
			return err
		}
		fmt.Println(r.Position, r.Metadata.Get("tenant"))
	}
	for _, index := range []postgres.Index{postgres.ByType, postgres.ByMetadata("tenant")} {
		if _, err := db.AddIndex(ctx, index); err != nil {
			return err
		}
	}
	return nil
}
