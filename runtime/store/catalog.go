package store

import (
	"context"
	"time"
)

// StreamInfo describes a stream.
type StreamInfo struct {
	Stream string
	// Version of the last event.
	Version Version
	// Created is the time of the append that created the stream, by the clock
	// of its first event.
	Created time.Time
}

// Catalog is implemented by stores that know their streams.
type Catalog interface {
	// StreamInfo describes stream, or returns a [*StreamNotFoundError], or an
	// [*InvalidError] if no stream can have that name.
	StreamInfo(ctx context.Context, stream string) (StreamInfo, error)
}
