// Package limit does to PostgreSQL what an event store must do at the least: rows
// into and out of the same tables, with the same triggers and indexes, and nothing
// that keeps order, checks versions or decodes. It is what the store is measured
// against, so it imports no package of the store's.
//
// Whoever writes past a store breaks it: positions come from a counter of this
// process, so nobody else may append between [Log.Begin] and [Log.End].
package limit

import "context"

// Op does one operation and returns how many events it moved. It is for one
// goroutine.
type Op func(context.Context) (events int, err error)
