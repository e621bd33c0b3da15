package bank

import (
	"time"

	"github.com/esgen/esgen/runtime/store"
)

// Transient returns db with subscriptions that last as long as the result: what
// subscribes to it begins anew with every program, and leaves nothing behind. It
// is for handlers whose own data ends with the program.
func Transient(db store.Store) store.Store {
	return transient{Store: db, local: db.Local().Beside(), subscriptions: store.NewLedger(store.Kept{}, time.Now, nil)}
}

type transient struct {
	store.Store
	local         *store.Local
	subscriptions store.Subscriptions
}

// Subscriptions returns those in memory instead of the store's.
func (t transient) Subscriptions() store.Subscriptions { return t.subscriptions }

// Local has the store's doorbell, and what belongs to these subscriptions.
func (t transient) Local() *store.Local { return t.local }
