// Package lock keeps what a package's events are stored as in a file beside it, and
// tells which changes would make stored events unreadable.
//
// The file, esgen.lock.json, holds every revision that was ever locked, not only the
// current one: a store keeps old events for ever.
package lock
