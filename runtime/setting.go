package runtime

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/esgen/esgen/internal/printable"
	"github.com/esgen/esgen/runtime/store"
)

// Setting changes how a stream appends: [Key], [Metadata], [Correlation],
// [Causation], [At], [EventIDs], [Retries], [OnRetry]. Of two settings of one kind
// the later one holds, except that Metadata merges. What is wrong with a setting
// is a [*store.InvalidError] of the first call that uses the stream.
type Setting interface{ set(s *settings) error }

// Metadata is a Setting: values stored beside every event, as a JSON object, by
// [store.NewMetadata]: whatever encoding/json takes, ids and times too. The values
// of several are merged, a later one replaces what has the same name. They are
// encoded by With: changing the map afterwards has no effect.
type Metadata map[string]any

// At is a Setting: the time of every event, stored in UTC with microsecond
// precision. Without it the store's clock is taken.
type At time.Time

// Correlation is a Setting: the correlation of every event, instead of the one
// that the context carries.
func Correlation(id uuid.UUID) Setting {
	return settingFunc(func(s *settings) error {
		s.correlation = id
		return notNil("es.Correlation", id)
	})
}

// Causation is a Setting: the id of the event that caused every event, instead of
// the one that the context carries.
func Causation(id uuid.UUID) Setting {
	return settingFunc(func(s *settings) error {
		s.causation = id
		return notNil("es.Causation", id)
	})
}

// EventIDs is a Setting: the ids of the events of one append, one for each. The
// append can then be repeated safely; so can any append with a [Key], which needs
// no ids. Not together with a Key.
func EventIDs(ids ...uuid.UUID) Setting {
	ids = slices.Clone(ids)
	return settingFunc(func(s *settings) error {
		s.ids = ids
		if len(ids) == 0 {
			return invalidSetting("es.EventIDs", "no ids; give one for each event")
		}
		if slices.Contains(ids, uuid.Nil) {
			return invalidSetting("es.EventIDs", "one is the nil UUID")
		}
		return nil
	})
}

type settingFunc func(*settings) error

func (f settingFunc) set(s *settings) error { return f(s) }

func (m Metadata) set(s *settings) error {
	s.metadata = maps.Clone(s.metadata)
	if s.metadata == nil {
		s.metadata = make(map[string]any, len(m))
	}
	maps.Copy(s.metadata, m)
	if len(s.metadata) == 0 {
		return nil
	}
	encoded, err := store.NewMetadata(s.metadata)
	if err != nil {
		return invalidSetting("es.Metadata", strings.TrimPrefix(err.Error(), "metadata: "))
	}
	s.encoded = encoded
	return nil
}

func (t At) set(s *settings) error {
	s.at = time.Time(t)
	if s.at.IsZero() {
		return invalidSetting("es.At", "the zero time")
	}
	return nil
}

// settings is a value: with copies it, so that streams share nothing.
type settings struct {
	key                    Key
	keyed                  bool
	metadata               map[string]any
	encoded                store.Metadata
	correlation, causation uuid.UUID
	at                     time.Time
	ids                    []uuid.UUID
	retries                int
	report                 func(Retry)
	// err joins what is wrong with any of them.
	err error
}

func defaults() settings { return settings{retries: defaultRetries} }

func (s settings) with(more []Setting) settings {
	for _, setting := range more {
		if setting == nil {
			s.err = errors.Join(s.err, &store.InvalidError{What: "setting", Reason: isNil})
			continue
		}
		s.err = errors.Join(s.err, setting.set(&s))
	}
	return s
}

// check returns what is wrong with the settings, alone or together.
func (s settings) check() error {
	if s.err == nil && s.keyed && s.ids != nil {
		return invalidSetting("es.Key", "given together with es.EventIDs; a key makes the ids, choose one")
	}
	return s.err
}

// onlyRetries refuses what says something about events, and names the first.
func (s settings) onlyRetries() error {
	if err := s.check(); err != nil {
		return err
	}
	for _, setting := range []struct {
		name  string
		given bool
	}{
		{"es.Key", s.keyed},
		{"es.Metadata", s.metadata != nil},
		{"es.Correlation", s.correlation != uuid.Nil},
		{"es.Causation", s.causation != uuid.Nil},
		{"es.At", !s.at.IsZero()},
		{"es.EventIDs", s.ids != nil},
	} {
		if setting.given {
			return invalidSetting(setting.name, "says something about events; es.Atomic takes es.Retries and es.OnRetry, give it to the streams inside")
		}
	}
	return nil
}

// apply fills in what the settings say about the events of one append.
func (s settings) apply(stream string, events []store.Event) error {
	if s.ids != nil && len(s.ids) != len(events) {
		return invalidSetting("es.EventIDs", fmt.Sprintf("%d ids for %d events to append to %s; give one for each", len(s.ids), len(events), printable.Name(stream)))
	}
	for i := range events {
		e := &events[i]
		e.Metadata = s.encoded
		e.Correlation, e.Causation = s.correlation, s.causation
		e.Time = s.at
		if s.ids != nil {
			e.ID = s.ids[i]
		}
		if s.keyed {
			e.ID = s.key.id(stream, i)
		}
	}
	return nil
}

func invalidSetting(name, reason string) error {
	return &store.InvalidError{What: "setting " + name, Reason: reason}
}

func notNil(name string, id uuid.UUID) error {
	if id == uuid.Nil {
		return invalidSetting(name, "the nil UUID; leave the setting out for none")
	}
	return nil
}
