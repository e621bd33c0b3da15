package runtime

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/esgen/esgen/internal/printable"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/typeregistry"
)

// SnapshotEvery is a Setting: [Load] and [Execute] begin with the stored snapshot of
// the stream's state and store another one when they have folded this many events
// since. 0 means neither. It takes the place of snapshots= of //esgen:state, without
// which a state has no snapshots.
//
// A snapshot is a shortcut and nothing else. The version that an append expects is
// always that of an event that was read, never a snapshot's. A snapshot is passed
// over, and all events are folded, if it is of another revision or shape of the
// state, if the event that it ends with is not there any more, or if it cannot be
// read; and with a [Key], whose events may lie before it. Without [store.Snapshots],
// and in a transaction, nothing is stored.
type SnapshotEvery int

func (n SnapshotEvery) set(s *settings) error {
	s.every, s.everySet = int(n), true
	if n < 0 {
		return invalidSetting("es.SnapshotEvery", fmt.Sprintf("%d is negative; 0 means none", int(n)))
	}
	return nil
}

// Snapshot tells what became of a snapshot.
type Snapshot struct {
	// Stream and Version of the last event that the state knows.
	Stream  string
	Version store.Version
	// Saved tells that it was stored, otherwise it was to be loaded.
	Saved bool
	// Err is why it was not: an error of the store or of the format; or nil. No call
	// fails over it.
	Err error
	// Stale is why a snapshot that was loaded was passed over, or empty.
	Stale string
}

// OnSnapshot is a Setting: report is called for every snapshot that is used, passed
// over or stored, from the goroutine that loads. Use it to count, and to see errors.
func OnSnapshot(report func(Snapshot)) Setting {
	return settingFunc(func(s *settings) error {
		s.snapshot = report
		return nil
	})
}

// snapshots is what a family stores of its state.
type snapshots struct {
	codec typeregistry.Type
	shape string
	every int
}

// Snapshots returns the family with snapshots of its state: stored by codec, one
// after every so many events. shape changes with the shape of the state, so that an
// old snapshot is never misread. For generated code; it changes f, which nobody uses
// yet.
func (f *Family[ID, E]) Snapshots(codec typeregistry.Type, shape string, every int) *Family[ID, E] {
	f.snapshots = &snapshots{codec: codec, shape: shape, every: every}
	return f
}

// mark is stored beside a snapshot.
type mark struct {
	// Shape is the fingerprint of the state, Event the last event that it knows.
	Shape string    `json:"esgen_shape"`
	Event uuid.UUID `json:"esgen_event"`
}

// snapshotting is the use of snapshots in one load.
type snapshotting struct {
	*snapshots
	keeper store.Snapshots
	every  int
}

// snapshotting returns how the stream's state is snapshot, or false if it is not.
func (s Stream[ID, E]) snapshotting() (snapshotting, bool, error) {
	kept := s.family.snapshots
	if kept == nil {
		if s.settings.everySet && s.settings.every > 0 {
			return snapshotting{}, false, fmt.Errorf("%s: %w", printable.Name(s.name), invalidSetting("es.SnapshotEvery",
				"the family has no snapshots; write //esgen:state snapshots=N and generate again"))
		}
		return snapshotting{}, false, nil
	}
	every := kept.every
	if s.settings.everySet {
		every = s.settings.every
	}
	db := s.db
	if u, ok := db.(*unit); ok {
		db = u.db // its own events follow whatever is stored
	}
	keeper, ok := db.(store.Snapshots)
	if declares, declared := db.(interface{ Capabilities() store.Capabilities }); declared && !declares.Capabilities().Has(store.KeepsSnapshots) {
		ok = false
	}
	return snapshotting{kept, keeper, every}, ok && every > 0 && !s.settings.keyed, nil
}

// loadSnapshot fills state from the stored snapshot, and returns its version and the
// event that has to be there.
func loadSnapshot[S, ID, E any](ctx context.Context, s Stream[ID, E], use snapshotting, state *S) (store.Version, uuid.UUID) {
	stored, err := use.keeper.LoadSnapshot(ctx, s.name)
	if errors.Is(err, store.ErrSnapshotNotFound) {
		return store.NoStream, uuid.Nil
	}
	told := Snapshot{Stream: s.name, Version: stored.Version, Err: err}
	var m mark
	if err == nil {
		told.Stale = use.stale(stored, &m)
	}
	if err == nil && told.Stale == "" {
		if told.Err = decodeSnapshot(s.family, use, stored, state); told.Err == nil {
			return stored.Version, m.Event
		}
	}
	s.settings.tell(told)
	return store.NoStream, uuid.Nil
}

// stale says why a snapshot is not to be used, or nothing.
func (u snapshotting) stale(stored store.Snapshot, m *mark) string {
	switch {
	case stored.Type != u.codec.Name():
		return "it is of the type " + printable.Name(stored.Type)
	case stored.Revision != u.codec.Revision():
		return fmt.Sprintf("it is of revision %d", stored.Revision)
	case json.Unmarshal(stored.Metadata, m) != nil || m.Event == uuid.Nil:
		return "it was not stored by this package"
	case m.Shape != u.shape:
		return "it is of another shape"
	}
	return ""
}

func decodeSnapshot[S, ID, E any](f *Family[ID, E], use snapshotting, stored store.Snapshot, state *S) error {
	format, err := f.formats.Get(string(stored.Format))
	if err != nil {
		return err
	}
	v, err := use.codec.Decode(func(dst any) error { return format.Unmarshal(stored.Data, dst) })
	if err != nil {
		return err
	}
	decoded, ok := v.(S)
	if !ok {
		return fmt.Errorf("a snapshot of family %s is %T, not %T", f.name, v, *state)
	}
	*state = decoded
	return nil
}

// saveSnapshot stores state, which is what the events up to r lead to. Only a store
// gets it: what a transaction has read may never be committed.
func saveSnapshot[S, ID, E any](ctx context.Context, s Stream[ID, E], use snapshotting, state S, at store.Version, event uuid.UUID) {
	if _, ok := s.db.(store.Store); !ok {
		return
	}
	told := Snapshot{Stream: s.name, Version: at, Saved: true}
	told.Err = func() error {
		format, err := s.family.formats.Get(string(s.db.Format()))
		if err != nil {
			return err
		}
		data, err := marshal(format, use.codec, state)
		if err != nil {
			return err
		}
		metadata, err := json.Marshal(mark{Shape: use.shape, Event: event})
		if err != nil {
			return err
		}
		return use.keeper.SaveSnapshot(ctx, store.Snapshot{
			Stream: s.name, Version: at, Type: use.codec.Name(), Revision: use.codec.Revision(),
			Format: s.db.Format(), Data: data, Metadata: metadata,
		})
	}()
	told.Saved = told.Err == nil
	s.settings.tell(told)
}

// tell reports a snapshot.
func (s settings) tell(what Snapshot) {
	if s.snapshot != nil {
		s.snapshot(what)
	}
}
