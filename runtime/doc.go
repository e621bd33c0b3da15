// Package runtime is what generated code calls: typed streams, folds, decisions
// and handlers over a store of bytes. It is always imported as es.
//
//	import es "github.com/esgen/esgen/runtime"
//
// People type little of it by hand: the settings of a call ([Key], [Metadata],
// [Correlation], [Retries], …), [Atomic] for several streams, [Subscribe] for
// several families, and [CausedBy]. The rest is reached through the methods of the
// generated package, bank.StreamOf(db, "a-17").Execute(…).
//
// Package store holds the vocabulary and the errors of reading and appending,
// package subscribe what is said about handlers, package estest a way to test
// decisions without a store.
package runtime
