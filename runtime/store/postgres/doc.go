// Package postgres is an event store in PostgreSQL 14 or newer.
//
//	pool, err := pgxpool.New(ctx, url)
//	...
//	db, err := postgres.New(pool, postgres.Config{})
//	...
//	err = db.Migrate(ctx)
//
// All tables and functions are in one schema, so that several stores may share
// a database. Nothing is kept in a session: the store works in every query mode
// of pgx, and through a pooler that hands out connections by transaction, as
// PgBouncer may. pgx itself prepares statements in a session unless told not to;
// with a pooler that does not keep them (PgBouncer before 1.21) write
// default_query_exec_mode=exec into the connection string. describe_exec, which
// counts on getting the same session twice, suits no such pooler.
//
// Appends of concurrent callers share transactions. They are sent below pgx's
// tracers, which do not see them; [Config.Observer] does.
//
// Positions are 1, 2, 3, … in the order of commits. An append takes a lock on
// that order, the head, which it holds until it is committed; a transaction that
// is open on other tables, or in other streams, delays nobody.
//
// An acknowledged append is as durable as the server's synchronous_commit makes a
// commit: with the default, it survives the loss of power.
package postgres
