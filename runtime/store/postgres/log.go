package postgres

import (
	"context"
	"log/slog"
)

// log tells [Config.Logger] of something that an operator acts on. What callers are
// told as an error anyway, conflicts and cancellations above all, is not logged.
func (s *Store) log(ctx context.Context, level slog.Level, message string, attrs ...slog.Attr) {
	if s.config.Logger == nil {
		return
	}
	s.config.Logger.LogAttrs(ctx, level, message, append([]slog.Attr{slog.String("store", s.config.Schema)}, attrs...)...)
}

// logStall: a flush takes long. The database is slow, the head is held by somebody
// (see [Store.Doctor]), or the connection is dead.
func (s *Store) logStall(f *flush, flushers int) {
	s.log(f.ctx, slog.LevelWarn, "a flush of appends takes long; others are sent meanwhile",
		slog.Duration("after", stallAfter), slog.Int("appends", len(f.appends)), slog.Int("events", f.events), slog.Int("flushers", flushers))
}

// logFailedFlush: the appends of a flush are sent one by one. Once in a while a
// duplicate event id does that; often, it is slow.
func (s *Store) logFailedFlush(f *flush, err error) {
	if f.ctx.Err() != nil {
		return // its callers have gone
	}
	s.log(f.ctx, slog.LevelWarn, "a flush of appends failed as a whole; they are sent one by one",
		slog.Int("appends", len(f.appends)), slog.String("sqlstate", sqlState(err)), slog.Any("error", err))
}

// logQueueFull: appends come faster than the database takes them.
func (s *Store) logQueueFull(bytes, waiting int) {
	s.log(context.Background(), slog.LevelWarn, "the queue of appends is full; callers wait for room",
		slog.Int("bytes", bytes), slog.Int("waiting", waiting))
}

// logUnknown: a caller does not know whether its events are stored.
func (s *Store) logUnknown(ctx context.Context, a *appending, err error) {
	s.log(ctx, slog.LevelError, "the outcome of an append is unknown",
		slog.String("stream", a.batches[0].Stream), slog.Int("events", a.events), slog.Any("error", err))
}

// logIsolation: each append begins a transaction of its own, which costs a little.
func (s *Store) logIsolation(ctx context.Context) {
	s.log(ctx, slog.LevelInfo, "sessions of the pool default to another isolation level than read committed; appends say so each time")
}

// logUnindexed: reads with this filter look at events that they do not return.
func (s *Store) logUnindexed(ctx context.Context, filter string) {
	s.log(ctx, slog.LevelWarn, "a filter has no index; add it if such reads are slow", slog.String("index", filter))
}

// logRemoved: events are gone for ever.
func (s *Store) logRemoved(ctx context.Context, r *removing) {
	s.log(ctx, slog.LevelInfo, "events were removed", slog.String("stream", r.stream), slog.Int64("version", r.version.Int64), slog.Int64("before", int64(r.before)))
}

// logMigrated: the schema has taken a step.
func (s *Store) logMigrated(ctx context.Context, m Migration) {
	s.log(ctx, slog.LevelInfo, "the schema was migrated", slog.Int("to", m.Number), slog.String("name", m.Name))
}

// begin lets appends begin transactions from now on.
func (s *Store) begin(ctx context.Context) {
	if !s.begins.Swap(true) {
		s.logIsolation(ctx)
	}
}
