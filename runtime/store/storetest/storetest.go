// Package storetest is the contract of event stores as a test suite. A store's
// own test calls [Run]; what passes is a store, and what is not in here is not
// promised. The package imports testing: link it into tests only.
package storetest

import (
	"slices"
	"testing"

	"github.com/esgen/esgen/runtime/store"
)

// Setup is how the suite comes by the store that it holds against the contract.
type Setup struct {
	// Open returns a new, empty store that shares nothing with any other, and
	// closes it by t.Cleanup. If the store declares [store.Deletes], its
	// configuration enables hard ones. Required. Called by several cases at once.
	Open func(t testing.TB) store.Store

	// OpenWithoutHardDeletes is Open with a configuration that does not enable
	// them. Nil means that the store has no such configuration: it takes hard
	// deletes always.
	OpenWithoutHardDeletes func(t testing.TB) store.Store

	// Declares is what the store is meant to declare. A case that needs more is
	// skipped, and says what was missing. A store that declares anything else
	// than this fails. Defaults to no capability.
	Declares store.Capabilities

	// Reopen closes s and opens its data again, as after a restart; the suite
	// uses s no more. Required of a store that declares [store.Durable].
	Reopen func(t testing.TB, s store.Store) store.Store

	// Another opens the data of s a second time, as another process would, and
	// closes it by t.Cleanup. Required of a store that declares
	// [store.SeveralProcesses].
	Another func(t testing.TB, s store.Store) store.Store

	// Observed opens a new, empty store, as Open does, that tells o of its
	// operations. Without it the cases about observers are skipped.
	Observed func(t testing.TB, o store.Observer) store.Store
}

// What the stores of this module declare.
const (
	Memory   = store.DenseOrder | store.SeveralStreams | store.KeepsSnapshots | store.KeepsCatalog | store.Links | store.Deletes
	SQLite   = Memory | store.Durable | store.SeveralProcesses | store.Transacts
	Postgres = Memory | store.Durable | store.SeveralProcesses | store.Transacts
)

// Run holds a store against the contract: each case is a parallel subtest with
// a store of its own. Randomised cases log their seed.
func Run(t *testing.T, setup Setup) {
	t.Helper()
	for _, c := range cases() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if missing := c.needs &^ setup.Declares; missing != 0 {
				t.Skipf("the store does not declare: %s", missing)
			}
			c.run(open(t, setup))
		})
	}
}

// contractCase is one promise. Its run fails the fixture, or returns.
type contractCase struct {
	name  string
	needs store.Capabilities
	run   func(*fixture)
}

func cases() []contractCase {
	return slices.Concat(
		appendCases(),
		idempotencyCases(),
		severalCases(),
		readCases(),
		filterCases(),
		contentCases(),
		causeCases(),
		invalidCases(),
		cancelCases(),
		bellCases(),
		observeCases(),
		subscriptionCases(),
		laneCases(),
		ownerCases(),
		parkedCases(),
		managementCases(),
		transactorCases(),
		snapshotCases(),
		catalogCases(),
		listingCases(),
		linkCases(),
		linkRaceCases(),
		softDeleteCases(),
		hardDeleteCases(),
		holeCases(),
		truncateCases(),
		durableCases(),
		processCases(),
		orderCases(),
	)
}
