package store_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
)

func event(name, data string) store.Event {
	return store.Event{Type: name, Format: store.JSON, Data: []byte(data)}
}

func Example() {
	ctx := context.Background()
	var s store.Store = memory.New(memory.Config{})
	appended, err := s.Append(ctx, store.Batch{Stream: "bank-a-17", Expected: store.NoStream, Events: []store.Event{
		event("bank.account_opened", `{"owner":"ada"}`),
		event("bank.money_deposited", `{"amount":5000}`),
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("the stream is at version", appended[0].Version)
	for r, err := range s.Read(ctx, store.Query{Categories: []string{"bank"}}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(r.Position, r.Stream, r.Version, r.Type, string(r.Data))
	}
	// Output:
	// the stream is at version 2
	// 1 bank-a-17 1 bank.account_opened {"owner":"ada"}
	// 2 bank-a-17 2 bank.money_deposited {"amount":5000}
}

func ExampleConflictError() {
	ctx := context.Background()
	s := memory.New(memory.Config{})
	deposit := func(expected store.Version) error {
		_, err := s.Append(ctx, store.Batch{Stream: "bank-a-17", Expected: expected, Events: []store.Event{
			event("bank.money_deposited", `{"amount":5000}`),
		}})
		return err
	}
	fmt.Println(deposit(store.NoStream))
	err := deposit(store.NoStream)
	fmt.Println(err)
	if conflict, ok := errors.AsType[*store.ConflictError](err); ok {
		fmt.Println("decide again on version", conflict.Actual)
	}
	// Output:
	// <nil>
	// append to bank-a-17: conflict: expected version 0 (no stream), the stream is at 1
	// decide again on version 1
}

// The last event of a stream: backward, at most one.
func ExampleQuery() {
	ctx := context.Background()
	s := memory.New(memory.Config{})
	for i := range 3 {
		_, err := s.Append(ctx, store.Batch{Stream: "bank-a-17", Expected: store.Any, Events: []store.Event{
			event("bank.money_deposited", fmt.Sprintf(`{"amount":%d}`, i)),
		}})
		if err != nil {
			fmt.Println(err)
			return
		}
	}
	for r, err := range s.Read(ctx, store.Query{Stream: "bank-a-17", Backward: true, Limit: 1}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(r.Version, string(r.Data))
	}
	// Output: 3 {"amount":2}
}

func ExampleCategory() {
	fmt.Printf("%q %q\n", store.Category("bank-a-17"), store.Category("bank"))
	// Output: "bank" ""
}
