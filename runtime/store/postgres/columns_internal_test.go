package postgres

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/esgen/esgen/runtime/store"
)

// TestColumnsAreWhatPgxWrites holds our own writing of arguments against pgx's.
func TestColumnsAreWhatPgxWrites(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 2, 3, 4, 5, 6, 789_000, time.UTC)
	id := func(n byte) uuid.UUID { return uuid.UUID{15: n} }
	full := []store.Event{
		{ID: id(1), Type: "a", Revision: 1, Format: store.JSON, Data: []byte(`{"ä":1}`), Time: at, Correlation: id(7)},
		{ID: id(2), Type: "b.long", Revision: 70_000, Format: store.JSONB, Data: []byte(`{"b":2}`), Metadata: []byte(`{"k":"v"}`), Time: at.Add(-80 * 365 * 24 * time.Hour), Causation: id(8)},
		{ID: id(3), Type: "c", Revision: 3, Format: store.Msgpack, Data: []byte{}, Time: time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)},
		{ID: id(4), Type: "d", Revision: 3, Format: store.Msgpack, Data: nil, Time: time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC)},
	}
	plainOnes := []store.Event{{ID: id(5), Type: "e", Revision: 1, Format: store.JSON, Data: []byte(`1`), Time: at}}
	for name, parts := range map[string][][]store.Event{"mixed": {full, plainOnes, full[:2]}, "nothing optional": {plainOnes}} {
		args := arguments{}
		for i, events := range parts {
			args.streams = append(args.streams, streamArgument{append: int32(i + 1), name: "s-" + string(rune('a'+i)), expected: store.Version(i - 2), count: len(events), created: events[0].Time})
			args.events = append(args.events, eventsArgument{stream: int32(i + 1), before: int32(3 * i), events: events, columns: columnsOf(events)})
		}
		types := pgtype.NewMap()
		plain := args.plain()
		for i, got := range args.binary() {
			want, err := types.Encode(appendOIDs[i], pgtype.BinaryFormatCode, plain[i], nil)
			if err != nil {
				t.Fatal(err)
			}
			if got == nil {
				// An array of nothing but NULLs is NULL.
				var elements []pgtype.DriverBytes
				if err := types.Scan(pgtype.ByteaArrayOID, pgtype.BinaryFormatCode, bytes.Replace(want, []byte{0, 0, 0, 25}, []byte{0, 0, 0, 17}, 1), &elements); err == nil {
					for _, e := range elements {
						if e != nil {
							t.Errorf("%s: argument %d is NULL, and has elements", name, i+1)
						}
					}
				}
				continue
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s: argument %d:\n got %x\nwant %x", name, i+1, got, want)
			}
		}
	}
}
