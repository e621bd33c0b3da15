package postgres

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/esgen/esgen/runtime/store"
)

// noted counts reads that looked at more than they returned, for want of an index.
type noted struct {
	mu     sync.Mutex
	counts map[string]int64
}

// maxNoted bounds the filters that are told apart.
const maxNoted = 100

// unindexed notes a filtered read of all streams that found no index.
func (s *Store) unindexed(ctx context.Context, q *store.Query, index string) {
	if index != "" {
		return
	}
	var filters []string
	if len(q.Types) > 0 {
		filters = append(filters, "type")
	}
	for _, key := range slices.Sorted(maps.Keys(q.Metadata)) {
		filters = append(filters, "metadata."+key)
	}
	s.noted.mu.Lock()
	defer s.noted.mu.Unlock()
	for _, f := range filters {
		if _, known := s.noted.counts[f]; !known && len(s.noted.counts) >= maxNoted {
			continue
		}
		if s.noted.counts == nil {
			s.noted.counts = make(map[string]int64)
		}
		if s.noted.counts[f] == 0 {
			s.logUnindexed(ctx, f)
		}
		s.noted.counts[f]++
	}
}

// unindexedFilters returns how often a filter was used without its index, by the
// index's name as [ParseIndex] takes it.
func (s *Store) unindexedFilters() map[string]int64 {
	s.noted.mu.Lock()
	defer s.noted.mu.Unlock()
	return maps.Clone(s.noted.counts)
}
