package runtime

import "github.com/esgen/esgen/runtime/store"

// Skipped is a stored event that was passed over because it is no longer one: its
// upcaster returned nil, or its name is retired and no type reads it.
type Skipped struct {
	// Stream and Version are the place in the stream being read, Position the one
	// in $all.
	Stream   string
	Version  store.Version
	Position store.Position
	// Type and Revision are what is stored.
	Type     string
	Revision int
}

func skipped(r store.Recorded) Skipped {
	return Skipped{Stream: r.Stream, Version: r.Version, Position: r.Position, Type: r.Type, Revision: r.Revision}
}

// OnSkip is a Setting: report is called for every stored event that a read or a load
// passes over because it is no longer an event, from the goroutine that reads. Use it
// to count. [Route.OnSkip] does the same for a subscription.
func OnSkip(report func(Skipped)) Setting {
	return settingFunc(func(s *settings) error {
		s.skipped = report
		return nil
	})
}

func (s settings) skip(r store.Recorded) {
	if s.skipped != nil {
		s.skipped(skipped(r))
	}
}
