// Package esotel turns what a store and its subscriptions do into OpenTelemetry traces
// and metrics, for
// programs that import it; no other package of the module links OpenTelemetry, and
// this one only its API. [New] gives the observer that a store's Config takes:
//
//	db, err := sqlite.Open(file, sqlite.Config{Observer: esotel.New(esotel.Config{})})
//
// [NewSubscriptions] gives the one that a subscription's Config takes.
//
// # Spans
//
// Every append, link, read, deletion and truncation has a span of kind client, or
// internal if the store is in the process's memory, by the conventions for databases
// (version 1.43): they fit better than those for messaging, for an append is a
// conditional write that is answered, and most reads follow no message. A read's span
// covers the loop. Of a group commit there is a span "flush": the child of the append
// if it sends a single one, else the root of a trace of its own with a link to each
// append. Flushes of appends that are not sampled have none.
//
// A span is named "append NAMESPACE", or "append CATEGORY" with [Config.Categories]:
// names of streams are as many as there are streams. Its attributes:
//
//   - db.system.name, db.namespace, db.operation.name as the store gives them.
//   - db.collection.name: the category, of several streams that of the first.
//   - esgen.stream.name: the stream, of several the first, or $all; esgen.stream.count
//     if there are several.
//   - esgen.event.count: what was appended or read; of an append that stored nothing,
//     what was to be. An append of many events is one operation and no batch.
//   - esgen.stream.version and esgen.event.position: the first stream's version and
//     the last event's position after an append.
//   - esgen.in_tx: true in the caller's transaction, which may yet be rolled back.
//   - esgen.outcome: see below. After a conflict also esgen.version.expected and
//     esgen.version.actual.
//   - error.type and db.response.status_code (SQLSTATE) where the status is Error.
//   - db.operation.batch.size of a flush of several appends; esgen.head.wait.duration
//     of a flush and esgen.queue.wait.duration of an append, in seconds.
//
// # Spans of handlers
//
// Every call of a handler of a subscription, with one event or a batch, is a span
// "process SUBSCRIPTION" of kind consumer, by the conventions for messaging; a
// transaction ends with its commit. It is the root of a trace of its own, with a link
// to each span in which its events were appended if those carry a trace
// ([Config.TraceEvents]), up to 128. Its attributes:
//
//   - messaging.system, messaging.operation.type, messaging.operation.name.
//   - esgen.subscription.name and esgen.subscription.lane.
//   - esgen.handling.kind: "event", "batch", "transaction" or "yield"; of the last, an
//     event of an iterator, the span ends when it is acknowledged.
//   - esgen.handling.attempt, from 1, and esgen.event.count.
//   - esgen.event.position: that of the last event. Of a single one also
//     esgen.event.type, esgen.stream.name, esgen.stream.version and
//     messaging.message.id.
//   - error.type and the status Error if the handler failed: "panic" with
//     exception.stacktrace, or a class of those below, in which what is an answer for
//     those who append is a failure.
//
// # Outcomes
//
// An outcome is "ok"; "duplicate" for events that had been stored before; "conflict",
// "duplicate_event" or "not_found", which are answers that programs act on and leave
// the status unset; "unknown" for an append of which the store could not learn whether
// it was committed; or "error". The last two set the status to Error, with the error's
// text and its class as error.type: "canceled", "closed", "event_not_found", "invalid",
// "not_enabled", "not_migrated", "stream_deleted", "timeout", "unavailable",
// "unknown_outcome", "_OTHER".
//
// # Metrics
//
// Their names, units and attributes are stable.
//
//	esgen.operation.duration   s         histogram  all but flushes; its count by esgen.outcome
//	                                                counts conflicts, duplicates and unknown outcomes
//	esgen.events.appended      {event}   counter    stored, duplicates not counted again
//	esgen.events.read          {event}   counter    yielded to loops
//	esgen.flush.duration       s         histogram  one transaction of a group commit
//	esgen.flush.appends        {append}  histogram  how many appends shared it
//	esgen.flush.events         {event}   histogram  and how many events
//	esgen.queue.wait.duration  s         histogram  of each append, until its flush began
//	esgen.head.wait.duration   s         histogram  of each flush, for the lock that orders appends
//
// Those of subscriptions have esgen.subscription.name:
//
//	esgen.handling.duration  s          histogram  calls of handlers, by esgen.handling.kind and error.type
//	esgen.events.handled     {event}    counter    by handlers that returned nil
//	esgen.handling.retries   {retry}    counter    failed calls that are tried again
//	esgen.events.parked      {event}    counter    parked, or waiting behind a parked one
//	esgen.events.unparked    {event}    counter    parked ones that were handled after all
//	esgen.events.skipped     {event}    counter    passed over by the policy
//	esgen.lane.stops         {stop}     counter    lanes that stopped at an event
//	esgen.lane.failures      {failure}  counter    reads and checkpoints that failed and are tried again
//	esgen.lane.changes       {change}   counter    by esgen.lane.change: gained, released, lost
//	esgen.lease.failures     {failure}  counter    renewals that failed
//	esgen.lanes              {lane}     gauge      that this process owns
//	esgen.lag.events         {event}    gauge      places behind the end, of the lane farthest behind
//	esgen.lag.duration       s          gauge      age of the oldest event not handled; it grows while a lane stands
//
// All others have db.system.name and db.namespace; esgen.operation.duration also
// db.operation.name, esgen.outcome and, after an error, error.type; it and the counters
// have esgen.in_tx in a caller's transaction and db.collection.name if
// [Config.Categories] asks for it. None has a stream's name. The names are not those of
// the conventions' client metrics: a driver that is instrumented as well reports
// those, and sums would count every call twice.
package esotel
