// Package history proves, or disproves, that a store keeps its promises while
// everything around it fails.
//
// Writers append at random and readers follow, in this process or in many, each
// with a log of its own: before a writer appends, it writes down what it is about
// to do, and what it was told before it goes on. So the logs of a process that was
// killed are as true as any. When all is over, [Finish] reads the whole store, and
// [Check] holds the logs against it. It knows nothing of the store but its words:
//
//   - lost: what was acknowledged is stored, in its stream, at its version and position
//   - ghost: what was refused, rolled back or never appended is not stored
//   - twice: no event is stored twice, and no position is given twice
//   - torn: of an append whose outcome nobody knows, all is stored or nothing
//   - version: versions of a stream are 1, 2, 3, …, in the order of positions
//   - hole: positions of $all are 1, 2, 3, …, save for streams that were deleted
//   - skipped: a reader that saw an event had seen every earlier one
//   - changed: what a reader saw is what is stored
//   - stale: a read sees what had been acknowledged before it began
//   - order: what is appended after an acknowledgement stands behind it
//   - linear: the appends, links and reads of a stream are linearizable (porcupine)
//   - answer: an answer that no store may give: other numbers of batches, a
//     duplicate of what is not stored, an error that is none of the contract's
//   - stall: an append that nobody stands in the way of does not wait for strangers
//
// The same holds of links, which stores with [store.Links] are asked for: what was
// linked is shown, once, in versions without a gap, whole or not at all.
//
// Of stores with [store.Deletes], streams are deleted softly and made what they were:
// an acknowledged change stays, and a stream that is deleted takes and shows nothing.
//
// Handlers of subscriptions write down in [Deliveries] what they are given and when
// they have handled it:
//
//   - missed: every stored event is handled
//   - in order: an event is given only when the one before it, of its key, was handled
//   - two at once: no two processes work on events of one key at once, unless the one
//     was stopped or told that it has lost them
//   - once: an effect in the subscription's transaction is there exactly once
//   - late: an event waits no longer than it may, faults aside
//
// [Run] is one process's part; a test of a store in one process is Run, Finish and
// Check. The package links porcupine: use it in tests only.
package history
