package limit_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/esgen/esgen/bench/limit"
	"github.com/esgen/esgen/internal/pgtest"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/postgres"
)

// bed is a store and the limit that writes to the same tables.
type bed struct {
	db     *postgres.Store
	log    *limit.Log
	conn   *pgx.Conn
	schema string
}

func newBed(t *testing.T, p limit.Payload) bed {
	t.Helper()
	pool := pgtest.Pool(t)
	b := bed{schema: pgtest.Schema(t)}
	var err error
	if b.db, err = postgres.New(pool, postgres.Config{Schema: b.schema}); err != nil {
		t.Fatal(err)
	}
	if err := b.db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if b.conn, err = pgx.Connect(t.Context(), pgtest.URL(t)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.conn.Close(context.Background()) })
	b.log = limit.NewLog(b.schema, p)
	return b
}

func payload() limit.Payload {
	return limit.Payload{Type: "test.limit", Format: "json", Data: []byte(`{"n":1}`), Metadata: []byte(`{"user": "ada"}`)}
}

func (b bed) append(t *testing.T, stream string) store.Appended {
	t.Helper()
	a, err := b.db.Append(t.Context(), store.Batch{Stream: stream, Events: []store.Event{{Type: "test.ours", Format: store.JSON, Data: []byte("{}")}}})
	if err != nil {
		t.Fatal(err)
	}
	return a[0]
}

// turn is what the limit does between appends of the store.
func (b bed) turn(t *testing.T, do func() error) {
	t.Helper()
	if err := b.log.Begin(t.Context(), b.conn); err != nil {
		t.Fatal(err)
	}
	if err := do(); err != nil {
		t.Fatal(err)
	}
	if err := b.log.End(t.Context(), b.conn); err != nil {
		t.Fatal(err)
	}
}

// A limit that wrote other rows than the store would be none.
func TestRowsOfTheLimitAreThoseOfTheStore(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"json", "jsonb"} {
		p := payload()
		p.Format, p.Correlation, p.Causation = format, uuid.New(), uuid.New()
		for _, write := range []struct {
			name string
			rows int
			op   func(*limit.Log, *pgx.Conn) (limit.Op, error)
		}{
			{"copy", 100, func(l *limit.Log, c *pgx.Conn) (limit.Op, error) { return l.Copy(c, 100), nil }},
			{"copy by hand", 100, func(l *limit.Log, c *pgx.Conn) (limit.Op, error) { return l.CopyBytes(c, 100), nil }},
			{"insert", 1, func(l *limit.Log, c *pgx.Conn) (limit.Op, error) { return l.Insert(t.Context(), c) }},
			{"transaction", 1, func(l *limit.Log, c *pgx.Conn) (limit.Op, error) { return l.InsertInTx(t.Context(), c) }},
		} {
			t.Run(write.name+" of "+format, func(t *testing.T) {
				t.Parallel()
				b := newBed(t, p)
				op, err := write.op(b.log, b.conn)
				if err != nil {
					t.Fatal(err)
				}
				b.append(t, "ours-1")
				for range 2 {
					b.turn(t, func() error {
						if n, err := op(t.Context()); err != nil || n != write.rows {
							return fmt.Errorf("%d rows: %w", n, err)
						}
						return nil
					})
				}
				// The store goes on behind the limit's rows.
				if a := b.append(t, "ours-2"); a.Last != store.Position(2*write.rows+2) {
					t.Errorf("the store went on at %d, want %d", a.Last, 2*write.rows+2)
				}
				rows, err := b.conn.Query(t.Context(), fmt.Sprintf(`SELECT position, version, coalesce(encode(data, 'escape'), data_json::text) AS data,
					metadata::text AS metadata, correlation, causation, format, type, event_id, abs(extract(epoch FROM now() - time)) < 3600 AS fresh
					FROM %s.events WHERE type = 'test.limit' ORDER BY position`, b.schema))
				if err != nil {
					t.Fatal(err)
				}
				stored, err := pgx.CollectRows(rows, pgx.RowToStructByName[row])
				if err != nil {
					t.Fatal(err)
				}
				if len(stored) != 2*write.rows {
					t.Fatalf("%d rows, want %d", len(stored), 2*write.rows)
				}
				ids := make(map[uuid.UUID]bool)
				for i, r := range stored {
					ids[r.ID] = true
					if r.Position != int64(i)+2 || r.Version != int64(i%write.rows)+1 || strings.ReplaceAll(r.Data, " ", "") != `{"n":1}` ||
						r.Metadata != `{"user": "ada"}` || r.Correlation != p.Correlation || r.Causation != p.Causation ||
						r.Format != format || !r.Fresh || r.ID.Version() != 7 {
						t.Fatalf("row %d is %+v", i, r)
					}
				}
				if len(ids) != len(stored) {
					t.Errorf("%d ids of %d rows", len(ids), len(stored))
				}
			})
		}
	}
}

type row struct {
	Position    int64     `db:"position"`
	Version     int64     `db:"version"`
	Data        string    `db:"data"`
	Metadata    string    `db:"metadata"`
	Correlation uuid.UUID `db:"correlation"`
	Causation   uuid.UUID `db:"causation"`
	Format      string    `db:"format"`
	Type        string    `db:"type"`
	ID          uuid.UUID `db:"event_id"`
	Fresh       bool      `db:"fresh"`
}

// What is loaded is a store like any other: its streams can be read and continued.
func TestFillMakesStreams(t *testing.T) {
	t.Parallel()
	b := newBed(t, payload())
	names := 0
	b.turn(t, func() error {
		return b.log.Fill(t.Context(), b.conn, 12_345, func() string { names++; return fmt.Sprintf("loaded-%d", names) })
	})
	for r, err := range b.db.Read(t.Context(), store.Query{Stream: "loaded-12345"}) {
		if err != nil {
			t.Fatal(err)
		}
		if r.Version != 1 || r.Position != 12_345 || r.Type != "test.limit" {
			t.Errorf("got %+v", r)
		}
	}
	a, err := b.db.Append(t.Context(), store.Batch{Stream: "loaded-1", Expected: 1, Events: []store.Event{{Type: "test.ours", Format: store.JSON, Data: []byte("{}")}}})
	if err != nil || a[0].Last != 12_346 {
		t.Errorf("%+v, %v", a, err)
	}
}

func TestSelectCountsEvents(t *testing.T) {
	t.Parallel()
	b := newBed(t, payload())
	reads := [][]limit.Query{
		{{SQL: "SELECT g AS version, 'x' FROM generate_series(1, $1::int) g", Args: []any{3}}, {SQL: "SELECT 1 AS version"}},
		// A row without a version says that a page is empty.
		{{SQL: "SELECT NULL::bigint AS version, ''"}},
	}
	op := limit.Select(b.conn, reads, 1)
	for _, want := range []int{0, 4, 0, 4} {
		if n, err := op(t.Context()); err != nil || n != want {
			t.Errorf("%d events, %v; want %d", n, err, want)
		}
	}
	if _, err := limit.Select(b.conn, nil, 0)(t.Context()); err == nil {
		t.Error("nothing to repeat is no error")
	}
}

func TestFollowMovesItsPlace(t *testing.T) {
	t.Parallel()
	b := newBed(t, payload())
	b.turn(t, func() error {
		if _, err := b.log.Copy(b.conn, 100)(t.Context()); err != nil {
			return err
		}
		n, err := b.log.Follow(t.Context(), b.conn, "limit", 10)
		if n != 100 {
			t.Errorf("%d events, want 100", n)
		}
		return err
	})
	var at int
	if err := b.conn.QueryRow(t.Context(), "SELECT at FROM "+b.schema+".lanes").Scan(&at); err != nil || at != 100 {
		t.Errorf("at %d, %v", at, err)
	}
}
