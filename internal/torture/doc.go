// Package torture proves the PostgreSQL store, by its tests alone: processes that
// append and read as package history does, while they are killed, the server is
// killed, and connections are cut and fall silent at every point of the protocol.
//
// `go test` does it for a minute, `make torture FOR=10m` for as long as one likes,
// in rounds with a schema of their own. Every round logs its seed. The logs of a
// round that failed stay, and the failure names them.
//
// Beside it stand the same workload on a file of SQLite, with processes that are killed
// and stopped, and in memory, with members that are stopped and cut off: for some
// seconds, or half a minute at most.
package torture
