package limit

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// All that is known here of the store's tables: the columns of an event, in the
// order of [event.values], and where positions and streams are counted.
const (
	columns = "position, stream_id, version, event_id, type, revision, format, data, data_json, metadata, correlation, causation, time"
	edge    = `SELECT coalesce((SELECT max(position) FROM %[1]s.events), 0), nextval(pg_get_serial_sequence('%[1]s.streams', 'stream_id'))`
	advance = `SELECT setval(pg_get_serial_sequence('%[1]s.streams', 'stream_id'), $1)`
)

// Payload is what every event carries.
type Payload struct {
	Type   string
	Format string // as the store calls it: of "jsonb" the data goes to data_json
	Data   []byte
	// Metadata is a JSON object.
	Metadata []byte
	// Correlation and Causation are left out if zero.
	Correlation, Causation uuid.UUID
	// RandomIDs gives events UUIDs of version 4 instead of 7.
	RandomIDs bool
}

// Log is the events table of one store.
type Log struct {
	schema           string
	payload          Payload
	position, stream atomic.Int64
}

// NewLog writes p to the store in the schema, a name that needs no quotes.
func NewLog(schema string, p Payload) *Log { return &Log{schema: schema, payload: p} }

// Begin goes on behind whatever the store holds.
func (l *Log) Begin(ctx context.Context, c *pgx.Conn) error {
	var position, stream int64
	if err := c.QueryRow(ctx, fmt.Sprintf(edge, l.schema)).Scan(&position, &stream); err != nil {
		return fmt.Errorf("find the end of %s.events: %w", l.schema, err)
	}
	l.position.Store(position)
	l.stream.Store(stream)
	return nil
}

// End tells the store which streams were used, so that it can go on.
func (l *Log) End(ctx context.Context, c *pgx.Conn) error {
	_, err := c.Exec(ctx, fmt.Sprintf(advance, l.schema), l.stream.Load()+1)
	return err
}

// event is the next row of a stream.
type event struct {
	position, stream, version int64
	id                        uuid.UUID
	time                      time.Time
}

// next returns n events of a new stream. Each is made as a store must make it: with an id and a time of its own.
func (l *Log) next(n int) ([]event, error) {
	last := l.position.Add(int64(n))
	stream := l.stream.Add(1)
	events := make([]event, n)
	for i := range events {
		var err error
		if events[i], err = l.event(last-int64(n)+int64(i)+1, stream, int64(i)+1); err != nil {
			return nil, err
		}
	}
	return events, nil
}

func (l *Log) event(position, stream, version int64) (event, error) {
	id, err := uuid.NewV7()
	if l.payload.RandomIDs {
		id, err = uuid.NewRandom()
	}
	return event{position, stream, version, id, time.Now()}, err
}

// values are the arguments of an INSERT of e.
func (l *Log) values(e event) []any {
	p := l.payload
	data, json := any(p.Data), any(nil)
	if p.Format == "jsonb" {
		data, json = nil, p.Data
	}
	return []any{
		e.position, e.stream, e.version, e.id, p.Type, int32(1), p.Format, data, json, p.Metadata,
		null(p.Correlation), null(p.Causation), e.time,
	}
}

func null(id uuid.UUID) any {
	if id == uuid.Nil {
		return nil
	}
	return id
}

// insert is the statement for one row.
func (l *Log) insert() string {
	n := strings.Count(columns, ",") + 1
	marks := make([]string, n)
	for i := range marks {
		marks[i] = "$" + strconv.Itoa(i+1)
	}
	return fmt.Sprintf("INSERT INTO %s.events (%s) VALUES (%s)", l.schema, columns, strings.Join(marks, ", "))
}
