// Package sqlite is an event store in one SQLite file: durable, in process,
// without a server and without cgo. It keeps the whole contract of package store
// and declares every capability.
//
//	db, err := sqlite.Open("bank.db", sqlite.Config{})
//	...
//	defer db.Close(context.Background())
//	err = db.Migrate(ctx) // once per release, by anybody
//
// Appends of concurrent callers share transactions, so that the disk is waited
// for once and not once per caller; a caller that is alone waits for nobody.
// Reads use connections of their own and never wait for appends.
//
// Several processes of one machine may share the file. It must not lie on a
// network file system: SQLite's locks do not hold there. Besides FILE there are
// FILE-wal and FILE-shm while it is in use; they belong to it, and a copy without
// FILE-wal lacks the last events.
//
// Programs that use other SQL on the same file do so at their own risk: UPDATE
// and DELETE of events are refused by triggers.
package sqlite
