package subscribe_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
	"github.com/esgen/esgen/runtime/subscribe"
)

// A program handles events until its context ends, and the next one goes on.
func Example() {
	db := memory.New(memory.Config{})
	deposit := func(stream, data string) {
		_, err := db.Append(context.Background(), store.Batch{Stream: stream, Expected: store.Any, Events: []store.Event{
			{Type: "bank.money_deposited", Format: store.JSON, Data: []byte(data)},
		}})
		if err != nil {
			fmt.Println(err)
		}
	}
	deposit("bank-a-17", `{"amount":5000}`)
	deposit("cards-3", `{"amount":1}`)
	deposit("bank-b-2", `{"amount":200}`)

	sub, err := subscribe.New(db, "balances", func(_ context.Context, r store.Recorded) error {
		fmt.Printf("%d: %s %s\n", r.Position, r.Stream, r.Data)
		return nil
	}, subscribe.Config{Categories: []string{"bank"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-sub.Live() // in a program, the signal to stop ends the context
		cancel()
	}()
	if err := sub.Run(ctx); !errors.Is(err, context.Canceled) {
		fmt.Println(err)
	}
	fmt.Println("checkpoint", sub.Status().Stored)

	// Output:
	// 1: bank-a-17 {"amount":5000}
	// 3: bank-b-2 {"amount":200}
	// checkpoint 3
}

// Stop ends a subscription at an event that no retry would help.
func ExampleStop() {
	db := memory.New(memory.Config{})
	_, err := db.Append(context.Background(), store.Batch{Stream: "bank-a-17", Expected: store.NoStream, Events: []store.Event{
		{Type: "bank.account_merged", Format: store.JSON, Data: []byte(`{}`)},
	}})
	if err != nil {
		fmt.Println(err)
	}
	sub, err := subscribe.New(db, "balances", func(_ context.Context, r store.Recorded) error {
		return subscribe.Stop(fmt.Errorf("this program does not know %s", r.Type))
	}, subscribe.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(sub.Run(context.Background()))

	// Output:
	// subscription balances: handle bank.account_merged, version 1 of bank-a-17 at position 1, tried once: this program does not know bank.account_merged
}
