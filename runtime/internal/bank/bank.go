package bank

import (
	"context"
	"iter"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/subscribe"
	"github.com/esgen/esgen/runtime/typeregistry"
)

const _ = es.SupportsGen1

// Names under which events are stored.
const (
	AccountOpenedName  = "bank.account_opened"
	MoneyDepositedName = "bank.money_deposited"
	MoneyWithdrawnName = "bank.money_withdrawn"
)

// Types maps stored names and revisions to Go types.
var Types = typeregistry.Must(
	typeregistry.Of[AccountOpened](AccountOpenedName, 1),
	typeregistry.Of[MoneyDeposited](MoneyDepositedName, 2),
	typeregistry.Of[MoneyWithdrawn](MoneyWithdrawnName, 1),
)

// Family is what generated code keeps to itself; tests need it.
var Family = es.NewFamily[string, Event]("bank", Types, es.StringID[string]{})

// Event is implemented by AccountOpened, MoneyDeposited and MoneyWithdrawn only.
type Event interface{ bankEvent() }

func (AccountOpened) bankEvent()  {}
func (MoneyDeposited) bankEvent() {}
func (MoneyWithdrawn) bankEvent() {}

// Meta tells which stream an event belongs to, and where and when it was stored.
type Meta = es.Meta[string]

// Recorded is an Event with its Meta.
type Recorded = es.Recorded[string, Event]

// Stream is one bank stream.
type Stream struct{ s es.Stream[string, Event] }

// StreamOf returns the stream with the given id, stored as bank-<id>.
func StreamOf(s store.Streams, id string) Stream { return Stream{Family.Stream(s, id)} }

// With returns the stream with settings.
func (s Stream) With(settings ...es.Setting) Stream { return Stream{s.s.With(settings...)} }

// Append adds events.
func (s Stream) Append(ctx context.Context, expected store.Version, events ...Event) (store.Appended, error) {
	return s.s.Append(ctx, expected, events...)
}

// Read yields the events from version from on.
func (s Stream) Read(ctx context.Context, from store.Version) iter.Seq2[Recorded, error] {
	return s.s.Read(ctx, from)
}

// Load folds the stream into an Account.
func (s Stream) Load(ctx context.Context) (Account, store.Version, error) {
	return es.Load(ctx, s.s, applyBank)
}

// Execute loads, decides, appends.
func (s Stream) Execute(ctx context.Context, decide func(Account) ([]Event, error)) (store.Appended, error) {
	return es.Execute(ctx, s.s, applyBank, decide)
}

// Fold returns the Account that the events lead to.
func Fold(events ...Event) Account { return es.Fold(applyBank, events...) }

func applyBank(a *Account, e Event) {
	switch e := e.(type) {
	case AccountOpened:
		a.ApplyAccountOpened(e)
	case MoneyDeposited:
		a.ApplyMoneyDeposited(e)
	case MoneyWithdrawn:
		a.ApplyMoneyWithdrawn(e)
	}
}

// Handler has one method per event.
type Handler interface {
	OnAccountOpened(ctx context.Context, m Meta, e AccountOpened) error
	OnMoneyDeposited(ctx context.Context, m Meta, e MoneyDeposited) error
	OnMoneyWithdrawn(ctx context.Context, m Meta, e MoneyWithdrawn) error
}

// Ignore is a Handler that does nothing.
type Ignore struct{}

// OnAccountOpened ignores the event.
func (Ignore) OnAccountOpened(context.Context, Meta, AccountOpened) error { return nil }

// OnMoneyDeposited ignores the event.
func (Ignore) OnMoneyDeposited(context.Context, Meta, MoneyDeposited) error { return nil }

// OnMoneyWithdrawn ignores the event.
func (Ignore) OnMoneyWithdrawn(context.Context, Meta, MoneyWithdrawn) error { return nil }

// On routes the events of bank streams to h.
func On(h Handler) es.Route {
	return Family.On(func(ctx context.Context, m Meta, e Event) error {
		switch e := e.(type) {
		case AccountOpened:
			return h.OnAccountOpened(ctx, m, e)
		case MoneyDeposited:
			return h.OnMoneyDeposited(ctx, m, e)
		case MoneyWithdrawn:
			return h.OnMoneyWithdrawn(ctx, m, e)
		default:
			return es.Unhandled(e)
		}
	})
}

// Subscribe returns a subscription of h to all bank streams.
func Subscribe(s store.Store, name string, h Handler, c subscribe.Config) (*subscribe.Subscription, error) {
	return es.Subscribe(s, name, c, On(h))
}
