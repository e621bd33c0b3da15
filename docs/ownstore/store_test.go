package ownstore_test

import (
	"testing"

	"github.com/esgen/esgen/docs/ownstore"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/storetest"
)

func TestStoreKeepsTheContract(t *testing.T) {
	t.Parallel()
	open := func(t testing.TB, dir string) *ownstore.Store {
		s, err := ownstore.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() }) // the second close of a store that was reopened fails
		return s
	}
	storetest.Run(t, storetest.Setup{
		Declares: store.DenseOrder | store.SeveralStreams | store.Durable,
		Open:     func(t testing.TB) store.Store { return open(t, t.TempDir()) },
		Reopen: func(t testing.TB, s store.Store) store.Store {
			if err := s.(*ownstore.Store).Close(); err != nil {
				t.Fatal(err)
			}
			return open(t, s.(*ownstore.Store).Dir())
		},
	})
}
