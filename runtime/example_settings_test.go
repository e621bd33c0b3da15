package runtime_test

import (
	"context"
	"fmt"
	"log"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/internal/bank"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
)

// Store metadata beside every event of a stream's later appends.
func ExampleMetadata() {
	ctx := context.Background()
	acct := bank.StreamOf(memory.New(memory.Config{}), "a-17").With(es.Metadata{"user": "ada"})

	_, err := acct.With(es.Metadata{"trace": "t-1"}).Append(ctx, store.NoStream, bank.AccountOpened{Owner: "ada", Currency: "EUR"})
	if err != nil {
		log.Fatal(err)
	}
	for r, err := range acct.Read(ctx, 0) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(r.Metadata)
	}
	// Output: {"trace":"t-1","user":"ada"}
}
