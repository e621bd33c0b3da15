package store

import (
	"context"
	"time"
)

// Observer is told what a store does, in plain values: package esotel turns them
// into traces and metrics. Methods are called on the path of the operation, so they
// must be quick, and by several goroutines at once. A store without an observer
// spends nothing on it.
//
// Stores call an observer by way of [Observed], which keeps its panics away from
// the operation.
type Observer interface {
	// Begin is told that an operation begins. The context that it returns replaces
	// the caller's for the operation: what it carries reaches the database driver
	// and, by [WithTrace], the events.
	Begin(ctx context.Context, op Operation) context.Context
	// End is told how an operation ended, once for each Begin, with the context
	// that Begin returned.
	End(ctx context.Context, op Operation, result Result)
}

// OperationKind is what an operation does. Later releases may add kinds.
type OperationKind string

// The operations that a store tells an [Observer] of.
const (
	OperationAppend   OperationKind = "append"
	OperationLink     OperationKind = "link"
	OperationRead     OperationKind = "read"
	OperationDelete   OperationKind = "delete"
	OperationUndelete OperationKind = "undelete"
	OperationTruncate OperationKind = "truncate"

	OperationSaveSnapshot   OperationKind = "save_snapshot"
	OperationLoadSnapshot   OperationKind = "load_snapshot"
	OperationDeleteSnapshot OperationKind = "delete_snapshot"
	// OperationFlush is a transaction in which a store sends the appends of one or
	// several callers. Their own operations go on meanwhile, and each has an outcome
	// of its own. Stores that put nothing together tell of none.
	OperationFlush OperationKind = "flush"
)

// Operation is a call of a store, or a flush.
type Operation struct {
	Kind OperationKind
	// System is the kind of store, "postgresql", and Store its instance: a schema,
	// or "" where there is only one.
	System, Store string
	// Stream is the first stream; [All] for a read of $all. It is "" for a read of
	// Categories and for a flush. It may be a name that no store takes, of any length.
	Stream     string
	Categories []string
	// Streams and Events count what is to be appended or linked, in all appends of a
	// flush; 0 for the rest.
	Streams, Events int
	// InTx tells that the operation is part of the caller's transaction, which may
	// yet be rolled back.
	InTx bool
	// Appends are what a flush sends. Valid until Begin returns; nil for End.
	Appends []Queued
}

// Queued is an append that has waited for its flush.
type Queued struct {
	// Context as Begin has returned it for the append, or one derived from it. The
	// caller may have given up waiting.
	Context context.Context
	// For is how long it has waited.
	For time.Duration
}

// Result is how an operation ended.
type Result struct {
	// Err is nil on success, and when the loop of a read was left early.
	// [ErrConflict], [ErrDuplicateEvent] and [ErrSnapshotNotFound] are answers, not failures. Of a flush it
	// is what failed it as a whole; the appends in it have results of their own.
	Err error
	// Events counts what was appended, linked, or yielded by a read.
	Events int
	// Duplicate tells that the events had been stored before.
	Duplicate bool
	// Version of the first stream and Position of the last event that were
	// appended. 0 if there are none, or not yet.
	Version  Version
	Position Position
	// HeadWait is how long a flush waited, in the database, for the lock that
	// orders all appends. 0 if that is not known.
	HeadWait time.Duration
	// Duration from Begin to End. Of a read it covers the loop, and so what the
	// loop's body does.
	Duration time.Duration
}
