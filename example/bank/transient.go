package bank

import (
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
)

// Transient returns db with checkpoints that last as long as the result: what
// subscribes to it begins anew with every program, and leaves nothing behind. It
// is for handlers whose own data ends with the program.
func Transient(db store.Store) store.Store {
	return transient{Store: db, checkpoints: memory.New(memory.Config{}).Checkpoints()}
}

type transient struct {
	store.Store
	checkpoints store.Checkpoints
}

// Checkpoints returns those in memory instead of the store's.
func (t transient) Checkpoints() store.Checkpoints { return t.checkpoints }
