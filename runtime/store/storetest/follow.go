package storetest

import (
	"time"

	"github.com/esgen/esgen/runtime/store"
)

// follow reads q from the beginning and on, as a subscription does, until done
// is closed and nothing more comes.
func (f *fixture) follow(s store.Store, q store.Query, done <-chan struct{}) []place {
	var seen []place
	for {
		last := closed(done)
		bell := s.Local().Wait()
		n := 0
		for r, err := range s.Read(f.ctx, q) {
			if err != nil {
				f.Errorf("a reader that follows %s: %v", q, err)
				return seen
			}
			if n++; len(seen) > 0 && r.Position <= seen[len(seen)-1].position {
				f.Errorf("a reader that follows %s saw position %d behind %d", q, r.Position, seen[len(seen)-1].position)
				return seen
			}
			seen = append(seen, place{r.ID, r.Stream, r.Version, r.Position})
			if q.Stream != "" {
				q.FromVersion = r.Version + 1
			} else {
				q.FromPosition = r.Position + 1
			}
		}
		switch {
		case n > 0:
		case last:
			return seen
		default:
			await(bell, done)
		}
	}
}

// readLate reads all of $all again and again while others write.
func (f *fixture) readLate(s store.Store, done <-chan struct{}) [][]place {
	var reads [][]place
	for !closed(done) && len(reads) < 30 {
		read, err := collect(f.ctx, s, store.Query{})
		if err != nil {
			f.Errorf("a reader that came late: %v", err)
			break
		}
		reads = append(reads, places(read))
		await(s.Local().Wait(), done)
	}
	return reads
}

// await returns when something may have come. The doorbell promises nothing, so
// it also polls.
func await(bell, done <-chan struct{}) {
	poll := time.NewTimer(5 * time.Millisecond)
	defer poll.Stop()
	select {
	case <-bell:
	case <-done:
	case <-poll.C:
	}
}

func closed(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}
