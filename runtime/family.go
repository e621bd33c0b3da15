package runtime

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/esgen/esgen/internal/printable"
	"github.com/esgen/esgen/runtime/serializer"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/typeregistry"
)

// Family is what the streams of one kind have in common: the name that begins
// theirs, the types of their events, and how ids are written. It is immutable and
// safe for concurrent use. Generated code holds one in a variable.
type Family[ID, E any] struct {
	name    string
	types   *typeregistry.Registry
	ids     IDText[ID]
	formats serializer.Set
	// snapshots are nil if there are none.
	snapshots *snapshots
	// err is what is wrong with the family: every call returns it.
	err error
}

var errNoFamily = &store.InvalidError{What: "family", Reason: "nil; make it with es.NewFamily"}

// NewFamily returns the family whose streams are named <name>-<id>. The name
// holds no dash. types are the events that implement E.
//
// Formats replace those of [serializer.Default] that have the same name, and add
// others: serializer.JSON{Standard: true} selects another encoder, and a format of
// your own becomes readable.
//
// NewFamily does not fail, so that it can stand in a variable: what is wrong with
// its arguments is the error of the first call that uses the family.
func NewFamily[ID, E any](name string, types *typeregistry.Registry, ids IDText[ID], formats ...serializer.Serializer) *Family[ID, E] {
	f := &Family[ID, E]{name: name, types: types, ids: ids}
	invalid := func(reason string) { f.err = &store.InvalidError{What: "family", Value: name, Reason: reason} }
	if err := cmp.Or(store.CheckCategory(name), store.CheckStream(name)); err != nil {
		invalid(err.Error())
	} else if types == nil {
		invalid("no types; pass the registry of its events")
	} else if ids == nil {
		invalid("no text form of ids; pass es.StringID, es.IntID or es.TextID")
	}
	f.formats = serializer.Default()
	for _, format := range formats {
		if format == nil || format.Format() == "" {
			invalid("a serializer is nil or has no format name")
			continue
		}
		f.formats = f.formats.With(format)
	}
	return f
}

// Stream returns the stream of id, stored as <family>-<id>. It does no I/O. An id
// that cannot name a stream is the error of the first call.
func (f *Family[ID, E]) Stream(db store.Streams, id ID) Stream[ID, E] {
	s := Stream[ID, E]{family: f, db: db, id: id, settings: defaults()}
	switch {
	case f == nil:
		s.err = errNoFamily
	case f.err != nil:
		s.err = f.err
	case db == nil:
		s.err = &store.InvalidError{What: f.name + " stream", Reason: "the store is nil"}
	default:
		s.name, s.err = f.streamName(id)
	}
	return s
}

func (f *Family[ID, E]) streamName(id ID) (string, error) {
	text, err := f.ids.Text(id)
	if err == nil && text == "" {
		err = errEmptyID
	}
	if err != nil {
		return "", &IDError{Family: f.name, ID: fmt.Sprint(id), Err: err}
	}
	name := f.name + "-" + text
	if err := store.CheckStream(name); err != nil {
		return "", &IDError{Family: f.name, ID: text, Err: err}
	}
	return name, nil
}

// idOf returns the id of a stream of this family by its name.
func (f *Family[ID, E]) idOf(stream string) (ID, error) {
	var none ID
	text, ok := strings.CutPrefix(stream, f.name+"-")
	if !ok {
		return none, &IDError{Family: f.name, ID: stream, Err: errors.New("the stream is of another family")}
	}
	if text == "" {
		return none, &IDError{Family: f.name, Err: errEmptyID}
	}
	id, err := f.ids.Parse(text)
	if err != nil {
		return none, &IDError{Family: f.name, ID: text, Err: err}
	}
	return id, nil
}

// encode turns events of stream into what is stored, without ids and metadata.
func (f *Family[ID, E]) encode(stream string, format store.Format, events []E) ([]store.Event, error) {
	s, err := f.formats.Get(string(format))
	if err != nil {
		return nil, fmt.Errorf("append to %s: %w", printable.Name(stream), err)
	}
	encoded := make([]store.Event, len(events))
	for i, e := range events {
		var data []byte
		t, err := f.types.ByValue(e)
		if err == nil {
			data, err = marshal(s, t, e)
		}
		if err != nil {
			return nil, &EventError{Stream: stream, Event: i + 1, Of: len(events), Err: err}
		}
		encoded[i] = store.Event{Type: t.Name(), Revision: t.Revision(), Format: format, Data: data}
	}
	return encoded, nil
}

func marshal(s serializer.Serializer, t typeregistry.Type, event any) ([]byte, error) {
	stored, err := t.Stored(event)
	if err != nil {
		return nil, err
	}
	return s.Marshal(stored)
}

// decode turns what is stored into an event, or returns a [*ReadError]. It is false
// for what is no longer an event.
func (f *Family[ID, E]) decode(r store.Recorded) (E, bool, error) {
	e, isEvent, err := f.unmarshal(r)
	if err != nil {
		var none E
		return none, false, readError(r, err)
	}
	return e, isEvent, nil
}

func (f *Family[ID, E]) unmarshal(r store.Recorded) (e E, isEvent bool, err error) {
	t, err := f.types.ByName(r.Type, r.Revision)
	if err != nil {
		return e, false, err
	}
	if t.IsGone() {
		return e, false, nil
	}
	s, err := f.formats.Get(string(r.Format))
	if err != nil {
		return e, false, err
	}
	data := r.Data // so that not all of r is moved to the heap
	v, err := t.Decode(func(dst any) error { return s.Unmarshal(data, dst) })
	if err != nil || v == nil {
		return e, false, err
	}
	e, isEvent = v.(E)
	if !isEvent {
		return e, false, fmt.Errorf("%T is not an event of family %s", v, f.name)
	}
	return e, true, nil
}
