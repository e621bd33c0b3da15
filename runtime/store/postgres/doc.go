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
// of pgx and through a pooler that hands out connections by transaction.
//
// Positions are 1, 2, 3, … in the order of commits. An append takes a lock on
// that order, the head, which it holds until it is committed; a transaction that
// is open on other tables, or in other streams, delays nobody.
//
// An acknowledged append is as durable as the server's synchronous_commit makes a
// commit: with the default, it survives the loss of power.
package postgres
