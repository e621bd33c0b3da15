// Package subscribe runs handlers over the events of a store: each event in
// order, from where the subscription left off, for as long as the program runs.
//
//	sub, err := subscribe.New(db, "balances", handle, subscribe.Config{Categories: []string{"bank"}})
//	...
//	err = sub.Run(ctx) // blocks
//
// What is promised:
//
//   - At least once. An event is handled again if the process dies after the
//     handler returned and before the checkpoint was stored; at most
//     [Config.CheckpointEvery] events, and on a clean stop none. A handler must
//     therefore bear an event twice: compare [store.Recorded.Position] with the
//     last one that it has stored beside its own data, in the transaction that
//     changes that data. The checkpoint is written by the store on its own, not
//     in the handler's transaction.
//   - In order. Events are handled one at a time, by position, or by version if
//     the subscription reads one stream. An event is handled only when the one
//     before it was; none is passed over.
//   - No silent stall. Progress never depends on a notification, and every
//     failure of the store is retried for as long as it lasts. What goes on is
//     told by [Subscription.Status].
//
// A subscription runs in one process at a time. A second one that moves the same
// checkpoint is found out by the first move that does not fit, which ends one of
// the two with a [*store.CheckpointError].
package subscribe
