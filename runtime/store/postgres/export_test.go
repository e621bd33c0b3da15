package postgres

// Waiting is how many appends wait in the queue of s.
func Waiting(s *Store) int { return s.queue.length() }

// SchemaOf is the schema in which s keeps its data.
func SchemaOf(s *Store) string { return s.config.Schema }
