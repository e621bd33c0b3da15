// Package subscribe runs handlers over the events of a store: each event in
// order, from where the subscription left off, for as long as the program runs,
// on any number of processes.
//
//	sub, err := subscribe.New(db, "balances", handle, subscribe.Config{Categories: []string{"bank"}})
//	...
//	err = sub.Run(ctx) // blocks
//
// [New] gives events one by one, [NewBatch] several at once, [NewTx] several in
// the transaction that moves the checkpoint, and [NewPull] lets the program take
// and acknowledge them in its own time.
//
// What is promised:
//
//   - At least once. An event is handled again if the process dies after the
//     handler returned and before the checkpoint was stored; at most
//     [Config.CheckpointEvery] events of a lane, and on a clean stop none. A
//     handler must therefore bear an event twice, unless it works in the
//     subscription's transaction: then it has effect exactly once.
//   - In order. The events of a key, by default a stream, are handled one after
//     another; a lane handles one at a time, in the order of the log. None is
//     passed over: a checkpoint moves only behind what was handled, parked,
//     recorded as skipped, or is of another lane or not selected.
//   - One at a time. The lanes of a subscription are spread over all processes
//     that run it, and each has one owner. A process that does not renew its
//     lease in time stops handling before another may begin, and what it still
//     stores is refused. One that stops gives its lanes up at once; one that dies
//     is replaced within [Config.Lease].
//   - No silent stall. Progress never depends on a notification, and every
//     failure of the store is retried for as long as it lasts. What goes on is
//     told by [Subscription.Status], and by [List] for all processes.
//
// What fails is handled again as [Config.Retry] says, and then as
// [Config.OnFailure] does. An event that a program cannot read (see [Unreadable])
// is never passed over: its lane waits for a program that can.
package subscribe
