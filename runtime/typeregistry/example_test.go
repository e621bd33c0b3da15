package typeregistry_test

import (
	"encoding/json"
	"fmt"

	"github.com/esgen/esgen/runtime/typeregistry"
)

type MoneyDeposited struct{ Amount int64 }

func Example() {
	types := typeregistry.Must(
		typeregistry.Of[MoneyDeposited]("bank.money_deposited", 1),
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
