package memory_test

import (
	"testing"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
	"github.com/esgen/esgen/runtime/store/storetest"
)

func TestStoreKeepsTheContract(t *testing.T) {
	t.Parallel()
	storetest.Run(t, storetest.Setup{
		Open:                   func(testing.TB) store.Store { return memory.New(memory.Config{HardDeletes: true}) },
		OpenWithoutHardDeletes: func(testing.TB) store.Store { return memory.New(memory.Config{}) },
		Observed:               func(_ testing.TB, o store.Observer) store.Store { return memory.New(memory.Config{Observer: o}) },
		Declares:               storetest.Memory,
	})
}
