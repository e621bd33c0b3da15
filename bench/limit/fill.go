package limit

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// streamColumns are those of a stream, in the order of [Log.streams].
const streamColumns = "stream_id, name, category, version, created"

// Fill adds n streams of one event each, as fast as COPY can. It is what a store
// holds that has lived for some time.
func (l *Log) Fill(ctx context.Context, c *pgx.Conn, n int, name func() string) error {
	const together = 10_000
	events := fmt.Sprintf("COPY %s.events (%s) FROM STDIN BINARY", l.schema, columns)
	streams := fmt.Sprintf("COPY %s.streams (%s) FROM STDIN BINARY", l.schema, streamColumns)
	var e, s []byte
	for done := 0; done < n; {
		count := min(together, n-done)
		rows, err := l.nextStreams(count)
		if err != nil {
			return err
		}
		e, s = append(e[:0], header...), append(s[:0], header...)
		for _, row := range rows {
			e, s = l.tuple(e, row), l.streamTuple(s, row, name())
		}
		e, s = binary.BigEndian.AppendUint16(e, trailer), binary.BigEndian.AppendUint16(s, trailer)
		if _, err := c.PgConn().CopyFrom(ctx, bytes.NewReader(s), streams); err != nil {
			return err
		}
		if _, err := c.PgConn().CopyFrom(ctx, bytes.NewReader(e), events); err != nil {
			return err
		}
		done += count
	}
	return nil
}

// nextStreams returns the first events of n new streams.
func (l *Log) nextStreams(n int) ([]event, error) {
	events := make([]event, 0, n)
	position := l.position.Add(int64(n)) - int64(n)
	stream := l.stream.Add(int64(n)) - int64(n)
	for i := range int64(n) {
		e, err := l.event(position+i+1, stream+i+1, 1)
		if err != nil {
			return nil, err
		}
		events = append(events, e)
	}
	return events, nil
}

func (l *Log) streamTuple(b []byte, e event, name string) []byte {
	category, _, _ := strings.Cut(name, "-")
	b = binary.BigEndian.AppendUint16(b, 5)
	b = long(b, e.stream)
	b = field(b, []byte(name))
	b = field(b, []byte(category))
	b = long(b, e.version)
	return long(b, e.time.UnixMicro()-epoch)
}
