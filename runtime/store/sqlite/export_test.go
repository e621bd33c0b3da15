package sqlite

// Window is how many places a statement looks through that filters by type.
const Window = window

// Waiting is the number of changes that wait for a transaction.
func (s *Store) Waiting() int {
	s.writer.mu.Lock()
	defer s.writer.mu.Unlock()
	return len(s.writer.queue)
}
