package typeregistry_test

import (
	"encoding/json"
	"fmt"

	"github.com/esgen/esgen/runtime/typeregistry"
)

type MoneyDeposited struct{ Amount int64 }

func Example() {
	types := typeregistry.Must(
		typeregistry.Of(MoneyDeposited{}, "bank.money_deposited", 1),
	)

	event := MoneyDeposited{Amount: 50_00}
	typ, err := types.ByValue(event)
	fmt.Println(typ.Name(), typ.Revision(), err)

	typ, err = types.ByName("bank.money_deposited", 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	decoded, err := typ.Decode(func(dst any) error {
		return json.Unmarshal([]byte(`{"Amount":5000}`), dst)
	})
	fmt.Printf("%#v %v\n", decoded, err)

	_, err = types.ByValue(&event)
	fmt.Println(err)
	// Output:
	// bank.money_deposited 1 <nil>
	// typeregistry_test.MoneyDeposited{Amount:5000} <nil>
	// *typeregistry_test.MoneyDeposited is not an event that can be stored: events are values; pass typeregistry_test.MoneyDeposited, not *typeregistry_test.MoneyDeposited
}

// MoneyDepositedV1 is how deposits were stored first: in whole euro.
type MoneyDepositedV1 struct{ Euro int64 }

func ExampleUpcast() {
	types := typeregistry.Must(
		typeregistry.Of(MoneyDeposited{}, "bank.money_deposited", 2),
		typeregistry.Upcast("bank.money_deposited", 1, func(v MoneyDepositedV1) (MoneyDeposited, error) {
			return MoneyDeposited{Amount: v.Euro * 100}, nil
		}),
	)

	typ, err := types.ByName("bank.money_deposited", 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	decoded, err := typ.Decode(func(dst any) error {
		return json.Unmarshal([]byte(`{"Euro":50}`), dst)
	})
	fmt.Printf("%#v %v\n", decoded, err)
	// Output:
	// typeregistry_test.MoneyDeposited{Amount:5000} <nil>
}

func ExampleRegistry_Stored() {
	types := typeregistry.Must(
		typeregistry.Of(MoneyDeposited{}, "bank.money_deposited", 1).Alias("bank.cash_in"),
		typeregistry.Upcast("bank.paid", 1, func(v MoneyDepositedV1) (MoneyDeposited, error) {
			return MoneyDeposited{Amount: v.Euro * 100}, nil
		}),
	)
	fmt.Println(types.Stored("bank.money_deposited"))
	// Output: [bank.cash_in bank.money_deposited bank.paid]
}
