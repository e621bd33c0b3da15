package store

import "context"

type streamsKey struct{}

// WithStreams returns a copy of ctx that carries s for [StreamsFrom]. Stores that
// are a [Transactor] give it to what they call.
func WithStreams(ctx context.Context, s Streams) context.Context {
	return context.WithValue(ctx, streamsKey{}, s)
}

// StreamsFrom returns the streams in the transaction of a transactional handler:
// what is appended through them is committed together with the handler's
// checkpoint, or not at all. ok is false outside of one.
func StreamsFrom(ctx context.Context) (s Streams, ok bool) {
	s, ok = ctx.Value(streamsKey{}).(Streams)
	return s, ok
}
