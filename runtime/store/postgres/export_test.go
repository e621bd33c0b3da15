package postgres

import "time"

// Waiting is how many appends wait in the queue of s.
func Waiting(s *Store) int { return s.queue.length() }

// SchemaOf is the schema in which s keeps its data.
func SchemaOf(s *Store) string { return s.config.Schema }

// Alive makes l try a silent connection after every, for at most timeout.
func Alive(l *Listener, every, timeout time.Duration) { l.aliveEvery, l.aliveTimeout = every, timeout }

// ChannelOf is what the stores of a schema notify each other on.
var ChannelOf = channelOf

// MaxFlushers is how many goroutines send appends at most.
const MaxFlushers = maxFlushers
