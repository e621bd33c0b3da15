package postgres

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/esgen/esgen/runtime/store"
)

// unbounded is behind the end of everything. Twice that is no overflow.
const unbounded = math.MaxInt64 / 4

// States of a stream, as read_stream.sql names them.
const (
	stateLinked  = 1
	stateDeleted = 2
)

// page is the events of one statement. It is used again for the next, and by the
// next read: its parts cost more to allocate than to fill.
type page struct {
	events []store.Recorded
	// streams are the ids of their streams.
	streams []int64
	// large are the places of events whose payload is not here yet, with their size.
	large []largeEvent
	slab  slab
	texts map[string]string

	last  int64 // version of the stream
	state int32
	// end is the version or position of the last event, position the highest.
	end, position int64
	// cut tells that bytes ended the page; again, that it must be fetched again.
	cut, again bool
}

var pages = sync.Pool{New: func() any { return new(page) }}

// release gives the page back. What was yielded shares nothing with it but texts and
// pieces of the slab that are not handed out again.
func (p *page) release() {
	if cap(p.events) > 2*maxRows {
		return
	}
	clear(p.events[:cap(p.events)])
	p.reset()
	pages.Put(p)
}

type largeEvent struct{ at, size int }

// query reads a page between low and high, anew if events were removed meanwhile.
func (r *reading) query(ctx context.Context, conn *pgx.Conn, low, high int64, rows int) error {
	for attempt := 0; ; attempt++ {
		if err := r.queryOnce(ctx, conn, low, high, rows); !errors.Is(err, errRemoved) || attempt == maxAttempts {
			return err
		}
	}
}

func (r *reading) queryOnce(ctx context.Context, conn *pgx.Conn, low, high int64, rows int) error {
	sql, args := r.statement(low, high, rows)
	scan := func(found pgx.Rows) error { return r.scan(conn, found) }
	var err error
	if r.filtered {
		var last *pgtype.Int8
		if r.open {
			last = new(pgtype.Int8)
		}
		if err = r.queryPinned(ctx, conn, sql, args, last, scan); err == nil && r.open {
			r.high = last.Int64
		}
	} else {
		var found pgx.Rows
		if found, err = conn.Query(ctx, sql, append([]any{pgx.QueryResultFormats{pgx.BinaryFormatCode}}, args...)...); err == nil {
			err = scan(found)
		}
	}
	if err != nil {
		return err
	}
	if err := r.nameStreams(ctx, conn); err != nil {
		return err
	}
	return r.fetchLarge(ctx, conn)
}

// scan takes the rows of a page.
func (r *reading) scan(conn *pgx.Conn, found pgx.Rows) error {
	defer found.Close()
	p := r.page
	p.reset()
	decode := decoder{p: p, types: conn.TypeMap(), stream: r.q.Stream != ""}
	size := 0
	for found.Next() {
		if p.cut {
			continue // what the server has sent must be read
		}
		if err := decode.row(found, found.RawValues()); err != nil {
			return err
		}
		if decode.empty {
			continue
		}
		if size += decode.size; size > maxPageBytes {
			p.cut = true
		}
	}
	found.Close()
	return found.Err()
}

func (p *page) reset() {
	p.events, p.streams, p.large = p.events[:0], p.streams[:0], p.large[:0]
	p.last, p.state, p.end, p.position, p.cut, p.again = 0, 0, 0, 0, false, false
	if p.texts == nil || len(p.texts) > maxTexts {
		p.texts = make(map[string]string)
	}
}

// maxTexts bounds the names of types and formats that are remembered.
const maxTexts = 1000

// text returns b as a string that stands in many rows: it is copied once.
func (p *page) text(b []byte) string {
	text, ok := p.texts[string(b)]
	if !ok {
		text = string(b)
		p.texts[text] = text
	}
	return text
}

// decoder reads rows of the statements that read events. It does not use pgx's
// scanning, which costs as much as the database's work.
type decoder struct {
	p      *page
	types  *pgtype.Map
	stream bool // the rows begin with what is known of the stream

	known, text bool // whether columns come in text form

	empty bool // the last row had no event
	size  int  // of the last row's event
}

func (d *decoder) row(rows pgx.Rows, values [][]byte) error {
	p := d.p
	if d.inText(rows) {
		var err error
		if values, err = d.binary(rows, values); err != nil {
			return err
		}
	}
	at := int64(-1)
	if d.stream {
		p.last, p.state = integer(values[0]), int32(integer(values[1]))
		if d.empty = values[2] == nil; d.empty {
			return nil
		}
		at = integer(values[2])
		values = values[3:]
	}
	if len(values) < 14 {
		return fmt.Errorf("%d columns of an event, of 14", len(values))
	}
	position, version := integer(values[0]), store.Version(integer(values[2]))
	p.events = append(p.events, store.Recorded{
		Position:        store.Position(position),
		Version:         version,
		OriginalVersion: version,
		Type:            p.text(values[4]),
		Revision:        int(integer(values[5])),
		Format:          store.Format(p.text(values[8])),
		Data:            p.slab.keep(values[9]),
		Time:            moment(values[12]),
	})
	e := &p.events[len(p.events)-1]
	copy(e.ID[:], values[3])
	copy(e.Correlation[:], values[6])
	copy(e.Causation[:], values[7])
	if values[10] != nil {
		e.Data = p.slab.keep(values[10])
	}
	if values[11] != nil {
		e.Metadata = p.slab.keep(values[11])
	}
	d.size = len(e.Data) + len(e.Metadata)
	if values[13] != nil {
		large := int(integer(values[13]))
		d.size += large
		p.large = append(p.large, largeEvent{at: len(p.events) - 1, size: large})
	}
	p.streams = append(p.streams, integer(values[1]))
	p.end, p.position = position, max(p.position, position)
	if d.stream {
		p.end, e.Version = at, store.Version(at)
	}
	return nil
}

// inText reports whether some columns have a text form that is not their binary one:
// the simple protocol has no other.
func (d *decoder) inText(rows pgx.Rows) bool {
	if !d.known {
		d.known = true
		for _, f := range rows.FieldDescriptions() {
			d.text = d.text || f.Format != pgx.BinaryFormatCode && f.DataTypeOID != pgtype.TextOID
		}
	}
	return d.text
}

// binary brings a row into binary form.
func (d *decoder) binary(rows pgx.Rows, values [][]byte) ([][]byte, error) {
	fields := rows.FieldDescriptions()
	converted := make([][]byte, len(values))
	for i, text := range values {
		if text == nil {
			continue
		}
		var err error
		switch oid := fields[i].DataTypeOID; {
		case oid == pgtype.TextOID || fields[i].Format == pgx.BinaryFormatCode:
			converted[i] = text
		default:
			var v any
			if v, err = decodeText(d.types, oid, text); err == nil {
				converted[i], err = d.types.Encode(oid, pgx.BinaryFormatCode, v, []byte{})
			}
		}
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", fields[i].Name, err)
		}
	}
	return converted, nil
}

func decodeText(types *pgtype.Map, oid uint32, text []byte) (any, error) {
	t, ok := types.TypeForOID(oid)
	if !ok {
		return nil, fmt.Errorf("type %d is not known", oid)
	}
	return t.Codec.DecodeValue(types, oid, pgx.TextFormatCode, text)
}

// integer decodes an int4 or int8; NULL is 0.
func integer(b []byte) int64 {
	switch len(b) {
	case 4:
		return int64(int32(binary.BigEndian.Uint32(b)))
	case 8:
		return int64(binary.BigEndian.Uint64(b))
	default:
		return 0
	}
}

func moment(b []byte) time.Time {
	return time.UnixMicro(integer(b) + microsecondsTo2000).UTC()
}

// slab hands out copies of bytes from larger pieces of memory: one allocation serves
// dozens of events. A receiver that keeps an event keeps its piece, of 16 KiB, too.
type slab struct{ free []byte }

const slabBytes = 16 << 10

func (s *slab) keep(b []byte) []byte {
	n := len(b)
	if b == nil {
		return nil
	}
	if n > slabBytes/8 {
		return append(make([]byte, 0, n), b...)
	}
	if n > len(s.free) {
		s.free = make([]byte, slabBytes)
	}
	kept := s.free[:n:n]
	s.free = s.free[n:]
	copy(kept, b)
	return kept
}
