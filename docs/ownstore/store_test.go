package ownstore_test

import (
	"testing"

	"github.com/esgen/esgen/docs/ownstore"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/storetest"
)

// opened is a store that knows where to open it again.
type opened struct {
	*ownstore.Store
	dir string
}

func open(t testing.TB, dir string) opened {
	t.Helper()
	s, err := ownstore.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() }) // the second close of a store that was reopened fails
	return opened{s, dir}
}

func TestStoreKeepsTheContract(t *testing.T) {
	t.Parallel()
	storetest.Run(t, storetest.Setup{
		Declares: store.DenseOrder | store.Durable,
		Open:     func(t testing.TB) store.Store { return open(t, t.TempDir()) },
		Reopen: func(t testing.TB, s store.Store) store.Store {
			old := s.(opened)
			if err := old.Close(); err != nil {
				t.Fatal(err)
			}
			return open(t, old.dir)
		},
	})
}
