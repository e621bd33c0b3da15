package limit

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// What stands before and after the rows of a binary COPY.
const (
	header  = "PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	trailer = 0xffff
)

// Copy adds n rows of a new stream per call: one COPY in binary by pgx, which is
// one commit.
func (l *Log) Copy(c *pgx.Conn, n int) Op {
	table, names := pgx.Identifier{l.schema, "events"}, strings.Split(columns, ", ")
	return func(ctx context.Context) (int, error) {
		events, err := l.next(n)
		if err != nil {
			return 0, err
		}
		_, err = c.CopyFrom(ctx, table, names, pgx.CopyFromSlice(n, func(i int) ([]any, error) { return l.values(events[i]), nil }))
		return n, err
	}
}

// CopyBytes is Copy by hand, as fast as it can be: pgx asks the server for the
// types of the columns each time, which takes a round trip more, and looks up how to
// write each value.
func (l *Log) CopyBytes(c *pgx.Conn, n int) Op {
	sql := fmt.Sprintf("COPY %s.events (%s) FROM STDIN BINARY", l.schema, columns)
	var buffer []byte
	return func(ctx context.Context) (int, error) {
		events, err := l.next(n)
		if err != nil {
			return 0, err
		}
		buffer = append(buffer[:0], header...)
		for _, e := range events {
			buffer = l.tuple(buffer, e)
		}
		buffer = binary.BigEndian.AppendUint16(buffer, trailer)
		_, err = c.PgConn().CopyFrom(ctx, bytes.NewReader(buffer), sql)
		return n, err
	}
}

// tuple appends e as COPY takes it: the number of fields, then each with its length.
func (l *Log) tuple(b []byte, e event) []byte {
	p := l.payload
	b = binary.BigEndian.AppendUint16(b, 13)
	b = long(b, e.position)
	b = long(b, e.stream)
	b = long(b, e.version)
	b = field(b, e.id[:])
	b = field(b, []byte(p.Type))
	b = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(b, 4), 1)
	b = field(b, []byte(p.Format))
	if p.Format == "jsonb" {
		b = jsonb(field(b, nil), p.Data)
	} else {
		b = field(field(b, p.Data), nil)
	}
	b = jsonb(b, p.Metadata)
	for _, id := range []uuid.UUID{p.Correlation, p.Causation} {
		if id == uuid.Nil {
			b = field(b, nil)
		} else {
			b = field(b, id[:])
		}
	}
	return long(b, e.time.UnixMicro()-epoch)
}

// epoch is where PostgreSQL counts microseconds from.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()

func long(b []byte, v int64) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(b, 8), uint64(v))
}

// field appends v; nil is NULL.
func field(b, v []byte) []byte {
	if v == nil {
		return binary.BigEndian.AppendUint32(b, 0xffffffff)
	}
	return append(binary.BigEndian.AppendUint32(b, uint32(len(v))), v...)
}

// jsonb appends v with the number of its format before it.
func jsonb(b, v []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(v)+1))
	return append(append(b, 1), v...)
}
