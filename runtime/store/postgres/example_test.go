package postgres_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/postgres"
)

// The pool is the program's: it may be shared with other stores and queries.
func Example() {
	ctx := context.Background()
	pool, err := pgxpool.New(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()

	db, err := postgres.New(pool, postgres.Config{})
	if err != nil {
		log.Fatal(err)
	}
	if err := db.Migrate(ctx); err != nil {
		log.Fatal(err)
	}
	appended, err := db.Append(ctx, store.Batch{
		Stream:   "bank-a-17",
		Expected: store.NoStream,
		Events:   []store.Event{{Type: "bank.account_opened", Format: store.JSON, Data: []byte(`{"owner":"ada"}`)}},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(appended[0].Version)
}
