package postgres

import (
	"encoding/binary"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/esgen/esgen/runtime/store"
)

// column is an array argument in PostgreSQL's binary form, which is written
// directly: an append of 100 events has 1 200 elements, and planning how to encode
// each costs more than the rest of the client's work.
type column struct {
	elements []byte
	count    int
	nulls    int
}

func (c *column) null() {
	c.elements = binary.BigEndian.AppendUint32(c.elements, 1<<32-1)
	c.count++
	c.nulls++
}

// bytes returns its copy of b, which lasts if c need not grow.
func (c *column) bytes(b []byte) []byte {
	c.elements = binary.BigEndian.AppendUint32(c.elements, uint32(len(b)))
	c.elements = append(c.elements, b...)
	c.count++
	end := len(c.elements)
	return c.elements[end-len(b) : end : end]
}

func (c *column) text(s string) {
	c.elements = binary.BigEndian.AppendUint32(c.elements, uint32(len(s)))
	c.elements = append(c.elements, s...)
	c.count++
}

func (c *column) int4(v int32) {
	c.elements = binary.BigEndian.AppendUint32(c.elements, 4)
	c.elements = binary.BigEndian.AppendUint32(c.elements, uint32(v))
	c.count++
}

func (c *column) int8(v int64) {
	c.elements = binary.BigEndian.AppendUint32(c.elements, 8)
	c.elements = binary.BigEndian.AppendUint64(c.elements, uint64(v))
	c.count++
}

func (c *column) uuid(id uuid.UUID) {
	if id == uuid.Nil {
		c.null()
		return
	}
	c.bytes(id[:])
}

// microsecondsTo2000 is where timestamps begin.
const microsecondsTo2000 = 946_684_800_000_000

func (c *column) time(t time.Time) { c.int8(t.UnixMicro() - microsecondsTo2000) }

// array appends the header of an array of elements of type oid, and parts, to b.
// An array of nothing but NULLs is NULL.
func array(oid uint32, parts ...*column) []byte {
	size, count, nulls := 0, 0, 0
	for _, c := range parts {
		size, count, nulls = size+len(c.elements), count+c.count, nulls+c.nulls
	}
	if nulls == count {
		return nil
	}
	b := make([]byte, 0, 20+size)
	b = binary.BigEndian.AppendUint32(b, 1) // dimensions
	b = binary.BigEndian.AppendUint32(b, uint32(min(nulls, 1)))
	b = binary.BigEndian.AppendUint32(b, oid)
	b = binary.BigEndian.AppendUint32(b, uint32(count))
	b = binary.BigEndian.AppendUint32(b, 1) // of the first element
	for _, c := range parts {
		b = append(b, c.elements...)
	}
	return b
}

// eventColumns are the arguments of append.sql with one element per event of one
// batch. The caller of an append fills them, while other appends are under way.
type eventColumns struct {
	id, kind, revision, format, data, json, metadata, correlation, causation, time column
}

// eventOIDs are the types of the elements, in the order of eventColumns.
var eventOIDs = [...]uint32{
	pgtype.UUIDOID, pgtype.TextOID, pgtype.Int4OID, pgtype.TextOID, pgtype.ByteaOID, pgtype.TextOID, pgtype.TextOID,
	pgtype.UUIDOID, pgtype.UUIDOID, pgtype.TimestamptzOID,
}

func (c *eventColumns) all() [len(eventOIDs)]*column {
	return [...]*column{
		&c.id, &c.kind, &c.revision, &c.format, &c.data, &c.json, &c.metadata, &c.correlation, &c.causation, &c.time,
	}
}

// columnsOf writes events into columns, and points the events' own bytes there.
func columnsOf(events []store.Event) *eventColumns {
	c := new(eventColumns)
	c.reserve(events)
	for i := range events {
		e := &events[i]
		c.id.bytes(e.ID[:])
		c.kind.text(e.Type)
		c.revision.int4(int32(e.Revision))
		c.format.text(string(e.Format))
		if e.Format == store.JSONB {
			c.data.null()
			e.Data = c.json.bytes(e.Data)
		} else {
			e.Data = c.data.bytes(e.Data)
			c.json.null()
		}
		if len(e.Metadata) == 0 {
			c.metadata.null()
		} else {
			e.Metadata = c.metadata.bytes(e.Metadata)
		}
		c.correlation.uuid(e.Correlation)
		c.causation.uuid(e.Causation)
		c.time.time(e.Time)
	}
	return c
}

// reserve gives all columns their room in one piece.
func (c *eventColumns) reserve(events []store.Event) {
	n := len(events)
	var kinds, formats, data, json, metadata int
	for i := range events {
		e := &events[i]
		kinds, formats, metadata = kinds+len(e.Type), formats+len(e.Format), metadata+len(e.Metadata)
		if e.Format == store.JSONB {
			json += len(e.Data)
		} else {
			data += len(e.Data)
		}
	}
	sizes := [...]int{20 * n, 4*n + kinds, 8 * n, 4*n + formats, 4*n + data, 4*n + json, 4*n + metadata, 20 * n, 20 * n, 12 * n}
	total := 0
	for _, size := range sizes {
		total += size
	}
	room := make([]byte, total)
	for i, column := range c.all() {
		column.elements, room = room[:0:sizes[i]], room[sizes[i]:]
	}
}
