package sqlite_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/sqlite"
)

func Example() {
	dir, err := os.MkdirTemp("", "bank")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()

	db, err := sqlite.Open(filepath.Join(dir, "bank.db"), sqlite.Config{})
	if err != nil {
		log.Panic(err)
	}
	defer db.Close(ctx)
	if err := db.Migrate(ctx); err != nil {
		log.Panic(err)
	}

	// Package memory's store, and PostgreSQL's, take the same calls.
	appended, err := db.Append(ctx, store.Batch{
		Stream:   "account-17",
		Expected: store.NoStream,
		Events: []store.Event{
			{Type: "account.opened", Format: store.JSON, Data: []byte(`{"owner":"ada"}`)},
			{Type: "account.credited", Format: store.JSON, Data: []byte(`{"amount":50}`)},
		},
	})
	if err != nil {
		log.Panic(err)
	}
	fmt.Println("version", int64(appended[0].Version))
	for r, err := range db.Read(ctx, store.Query{Stream: "account-17"}) {
		if err != nil {
			log.Panic(err)
		}
		fmt.Println(r.Position, r.Type, string(r.Data))
	}
	// Output:
	// version 2
	// 1 account.opened {"owner":"ada"}
	// 2 account.credited {"amount":50}
}
