package bank

import "errors"

// Refusal returns the short name of a refusal, to count by: "insufficient
// funds", "account closed". It is empty if err is not a refusal but something
// that failed, such as the database, and for nil.
func Refusal(err error) string {
	for _, known := range refusals {
		if known.is(err) {
			return known.name
		}
	}
	return ""
}

// refusals are all answers that a customer can get.
var refusals = []struct {
	name string
	is   func(error) bool
}{
	{"unknown account", identity(ErrNotOpen)},
	{"account open already", identity(ErrAlreadyOpen)},
	{"account closed", identity(ErrClosed)},
	{"no owner", identity(ErrNoOwner)},
	{"transfer to itself", identity(ErrSameAccount)},
	{"insufficient funds", data[InsufficientFundsError]},
	{"amount not positive", data[NotPositiveError]},
	{"balance overflow", data[OverflowError]},
	{"money left", data[MoneyLeftError]},
	{"wrong currency", data[CurrencyMismatchError]},
	{"unknown currency", data[CurrencyError]},
	{"bad account name", data[AccountNameError]},
	{"bad amount", data[AmountError]},
	{"transfer id used before", data[TransferReusedError]},
}

func identity(target error) func(error) bool {
	return func(err error) bool { return errors.Is(err, target) }
}

func data[T error](err error) bool {
	_, ok := errors.AsType[T](err)
	return ok
}
