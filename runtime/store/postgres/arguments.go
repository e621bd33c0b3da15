package postgres

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/esgen/esgen/runtime/store"
)

// arguments are what the functions that append are told: streams, and events in the
// order of their positions.
type arguments struct {
	streams []streamArgument
	events  []eventsArgument
}

type streamArgument struct {
	// append numbers the call to which the stream belongs, from 1 on.
	append   int32
	name     string
	expected store.Version
	count    int
	created  time.Time
}

// eventsArgument are the events of one batch.
type eventsArgument struct {
	// stream is the place of theirs, from 1 on; before it gets as many others first.
	stream, before int32
	events         []store.Event
	// columns are the same events, nil if the protocol has no binary form.
	columns *eventColumns
}

var streamOIDs = []uint32{
	pgtype.Int4ArrayOID, pgtype.TextArrayOID, pgtype.TextArrayOID, pgtype.Int8ArrayOID, pgtype.Int4ArrayOID, pgtype.TimestamptzArrayOID,
}

var eventArrayOIDs = []uint32{
	pgtype.Int4ArrayOID, pgtype.Int4ArrayOID,
	pgtype.UUIDArrayOID, pgtype.TextArrayOID, pgtype.Int4ArrayOID, pgtype.TextArrayOID, pgtype.ByteaArrayOID, pgtype.TextArrayOID, pgtype.TextArrayOID,
	pgtype.UUIDArrayOID, pgtype.UUIDArrayOID, pgtype.TimestamptzArrayOID,
}

// appendOIDs and waitingOIDs are the types of the arguments of append.sql and
// append_waiting.sql, oneOIDs those of append_one.sql.
var (
	appendOIDs  = slices.Concat(streamOIDs, eventArrayOIDs)
	waitingOIDs = slices.Concat(streamOIDs[1:], eventArrayOIDs, []uint32{pgtype.BoolOID})
	oneOIDs     = []uint32{
		pgtype.TextOID, pgtype.TextOID, pgtype.Int8OID,
		pgtype.UUIDOID, pgtype.TextOID, pgtype.Int4OID, pgtype.TextOID, pgtype.ByteaOID, pgtype.TextOID, pgtype.TextOID,
		pgtype.UUIDOID, pgtype.UUIDOID, pgtype.TimestamptzOID,
	}
)

// binary returns the arguments of append.sql.
func (a *arguments) binary() [][]byte {
	var number, name, category, expected, count, created column
	for i := range a.streams {
		s := &a.streams[i]
		number.int4(s.append)
		name.text(s.name)
		category.text(store.Category(s.name))
		expected.int8(int64(s.expected))
		count.int4(int32(s.count))
		created.time(s.created)
	}
	n := 0
	for i := range a.events {
		n += len(a.events[i].events)
	}
	stream, offset := column{elements: make([]byte, 0, 8*n)}, column{elements: make([]byte, 0, 8*n)}
	for i := range a.events {
		e := &a.events[i]
		for j := range e.events {
			stream.int4(e.stream)
			offset.int4(e.before + int32(j) + 1)
		}
	}
	values := make([][]byte, 0, len(appendOIDs))
	values = append(values,
		array(pgtype.Int4OID, &number), array(pgtype.TextOID, &name), array(pgtype.TextOID, &category),
		array(pgtype.Int8OID, &expected), array(pgtype.Int4OID, &count), array(pgtype.TimestamptzOID, &created),
		array(pgtype.Int4OID, &stream), array(pgtype.Int4OID, &offset))
	parts := make([]*column, len(a.events))
	for c, oid := range eventOIDs {
		for i := range a.events {
			parts[i] = a.events[i].columns.all()[c]
		}
		values = append(values, array(oid, parts...))
	}
	return values
}

// plain returns the same for protocols without a binary form.
func (a *arguments) plain() []any {
	s := len(a.streams)
	var (
		numbers    = make([]int32, s)
		names      = make([]string, s)
		categories = make([]string, s)
		expected   = make([]int64, s)
		counts     = make([]int32, s)
		created    = make([]time.Time, s)
	)
	for i, s := range a.streams {
		numbers[i], names[i], categories[i] = s.append, s.name, store.Category(s.name)
		expected[i], counts[i], created[i] = int64(s.expected), int32(s.count), s.created
	}
	var (
		streams, offsets         []int32
		ids                      []pgtype.UUID
		types, formats           []string
		revisions                []int32
		data                     [][]byte
		json, metadata           []pgtype.Text
		correlations, causations []pgtype.UUID
		times                    []time.Time
	)
	for _, part := range a.events {
		for j, e := range part.events {
			d, text := encodeData(e.Format, e.Data)
			streams, offsets = append(streams, part.stream), append(offsets, part.before+int32(j)+1)
			ids = append(ids, pgtype.UUID{Bytes: e.ID, Valid: true})
			types, revisions = append(types, e.Type), append(revisions, int32(e.Revision))
			formats, data, json = append(formats, string(e.Format)), append(data, d), append(json, text)
			metadata = append(metadata, encodeText(e.Metadata))
			correlations, causations = append(correlations, encodeUUID(e.Correlation)), append(causations, encodeUUID(e.Causation))
			times = append(times, e.Time)
		}
	}
	return []any{
		numbers, names, categories, expected, counts, created,
		streams, offsets, ids, types, revisions, formats, data, json, metadata, correlations, causations, times,
	}
}

// binaryOne returns the arguments of append_one.sql.
func binaryOne(b store.Batch) [][]byte {
	e := &b.Events[0]
	values := [][]byte{
		[]byte(b.Stream), []byte(store.Category(b.Stream)), binary.BigEndian.AppendUint64(nil, uint64(b.Expected)),
		e.ID[:], []byte(e.Type), binary.BigEndian.AppendUint32(nil, uint32(e.Revision)), []byte(e.Format), nil, nil, nil,
		nil, nil, binary.BigEndian.AppendUint64(nil, uint64(e.Time.UnixMicro()-microsecondsTo2000)),
	}
	switch {
	case e.Format == store.JSONB:
		values[8] = e.Data
	case e.Data == nil:
		values[7] = []byte{} // NULL is no data
	default:
		values[7] = e.Data
	}
	if len(e.Metadata) > 0 {
		values[9] = e.Metadata
	}
	if e.Correlation != uuid.Nil {
		values[10] = e.Correlation[:]
	}
	if e.Causation != uuid.Nil {
		values[11] = e.Causation[:]
	}
	return values
}

// plainOne returns the same for protocols without a binary form.
func plainOne(b store.Batch) []any {
	e := b.Events[0]
	data, json := encodeData(e.Format, e.Data)
	return []any{
		b.Stream, store.Category(b.Stream), int64(b.Expected),
		pgtype.UUID{Bytes: e.ID, Valid: true},
		e.Type, int32(e.Revision), string(e.Format), data, json, encodeText(e.Metadata),
		encodeUUID(e.Correlation), encodeUUID(e.Causation), e.Time,
	}
}

// encodeData returns the two columns of a payload, of which one is NULL: JSON that
// the database may understand, or bytes.
func encodeData(f store.Format, data []byte) ([]byte, pgtype.Text) {
	if f == store.JSONB {
		return nil, pgtype.Text{String: string(data), Valid: true}
	}
	if data == nil {
		data = []byte{}
	}
	return data, pgtype.Text{}
}

func encodeText(b []byte) pgtype.Text { return pgtype.Text{String: string(b), Valid: len(b) > 0} }

func encodeUUID(id uuid.UUID) pgtype.UUID { return pgtype.UUID{Bytes: id, Valid: id != uuid.Nil} }
