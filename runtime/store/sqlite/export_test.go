package sqlite

// SetWindow sets how many places a statement looks through that filters by type.
func (s *Store) SetWindow(places int64) { s.window = places }

// Waiting is the number of changes that wait for a transaction.
func (s *Store) Waiting() int {
	s.writer.mu.Lock()
	defer s.writer.mu.Unlock()
	return len(s.writer.queue)
}
