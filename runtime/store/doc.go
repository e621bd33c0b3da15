// Package store is the vocabulary of event stores and the contract that every
// store keeps. It imports no driver.
//
// A stream is a named sequence of events with versions 1, 2, 3, …. All events
// of a store also stand in one order, called $all, by their positions. The
// guarantee that readers build on:
//
//   - Append is all or nothing, and durable when it has returned nil.
//   - Of any number of appends that expect the same version of a stream, exactly
//     one succeeds.
//   - A reader that has read $all up to position p has seen every event at or
//     before p, for ever: no event appears behind a reader. On a store that
//     declares [DenseOrder], positions are 1, 2, 3, … without a hole but those
//     that hard deletes leave. No position is ever given twice.
//
// [Streams] is what a typed stream needs, [Store] what a subscription needs.
// Whatever else a store can do is a small interface found by assertion
// ([Catalog], [Snapshots], [Linker], [Deleter]) or a declared [Capabilities] bit. Package storetest
// holds the contract as a test suite; what is not in it is not promised.
package store
