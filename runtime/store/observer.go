package store

import (
	"context"
	"time"
)

// Observer is told what a store does, in plain values: package esotel turns them
// into traces and metrics. Methods must be quick and safe for concurrent use. A
// store without an observer spends nothing on it.
type Observer interface {
	// Begin is told that an operation begins. Its context replaces the caller's
	// for the operation and is passed to End.
	Begin(ctx context.Context, op Operation) context.Context
	// End is told how an operation ended, once for each Begin.
	End(ctx context.Context, op Operation, result Result)
	// Flush is told of every transaction in which appends were sent together.
	Flush(ctx context.Context, f Flush)
}

// OperationKind is what an operation does.
type OperationKind string

// The operations that a store tells an [Observer] of.
const (
	OperationAppend   OperationKind = "append"
	OperationLink     OperationKind = "link"
	OperationRead     OperationKind = "read"
	OperationDelete   OperationKind = "delete"
	OperationTruncate OperationKind = "truncate"
)

// Operation is a call of a store.
type Operation struct {
	Kind OperationKind
	// System is the kind of store, "postgresql", and Store its instance: a schema.
	System, Store string
	// Target is the first stream, or what is read: "$all", "category bank".
	Target string
	// Streams and Events count what is to be appended or linked; 0 for reads.
	Streams, Events int
}

// Result is how an operation ended.
type Result struct {
	// Err is nil on success. [ErrConflict] and [ErrDuplicateEvent] are answers,
	// not failures.
	Err error
	// Events counts what was appended or read.
	Events int
	// Duplicate tells that the events had been stored before.
	Duplicate bool
	// Position is the last that was appended, 0 if there is none.
	Position Position
	// Duration from Begin to End; of a read, until its loop ended.
	Duration time.Duration
}

// Flush is one transaction of appends.
type Flush struct {
	System, Store string
	// Appends, Streams and Events count what was sent in it.
	Appends, Streams, Events int
	// Queued is how long its oldest append had waited, HeadWait how long the
	// database waited for the head lock, 0 if that is not known.
	Queued, HeadWait time.Duration
	// Duration of the round trip.
	Duration time.Duration
	Err      error
}
