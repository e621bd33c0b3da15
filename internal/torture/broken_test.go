package torture_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/esgen/esgen/internal/pgtest"
	"github.com/esgen/esgen/runtime/store/postgres"
	"github.com/esgen/esgen/runtime/store/storetest/history"
)

const (
	takeHead = `PERFORM pg_advisory_xact_lock('events'::regclass::oid::integer, 0);`
	readEdge = `greatest((SELECT max(e.position)`

	// What a block that was rolled back has locked is free again.
	letGo          = `BEGIN ` + takeHead + ` RAISE division_by_zero; EXCEPTION WHEN division_by_zero THEN NULL; END;`
	takenByReading = `greatest((SELECT 0::bigint FROM pg_advisory_xact_lock('events'::regclass::oid::integer, 0)), (SELECT max(e.position)`
)

// breakage is a store that was broken on purpose.
type breakage struct {
	schema string
	pool   *pgxpool.Pool
}

// replace changes a text in every function of the store that has it.
func (b breakage) replace(ctx context.Context, old, with string) error {
	rows, err := b.pool.Query(ctx, `SELECT pg_get_functiondef(p.oid) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
		WHERE n.nspname = $1 AND strpos(p.prosrc, $2) > 0`, b.schema, old)
	if err != nil {
		return err
	}
	definitions, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	if len(definitions) == 0 {
		return errors.New("no function of the store holds the text that is to be replaced: " + old)
	}
	for _, d := range definitions {
		if _, err := b.pool.Exec(ctx, strings.ReplaceAll(d, old, with)); err != nil {
			return err
		}
	}
	return nil
}

// index makes an index anew.
func (b breakage) index(ctx context.Context, name, definition string) error {
	in := pgx.Identifier{b.schema}.Sanitize() + "."
	_, err := b.pool.Exec(ctx, `DROP INDEX `+in+name+`; CREATE `+strings.ReplaceAll(definition, "esgen.", in))
	return err
}

// plainPositions takes away the second line of defence: with the unique index on
// positions, most of what a broken head does is refused by the database.
func (b breakage) plainPositions(ctx context.Context) error {
	return b.index(ctx, "events_position_key", `INDEX events_position_key ON esgen.events (position) WHERE position IS NOT NULL`)
}

// TestChecksFindBrokenCode breaks the store's functions one by one, as somebody
// might who did not know why they are as they are.
func TestChecksFindBrokenCode(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rules   []string // one of them is broken
		breakIt func(context.Context, breakage) error
	}{
		// The unique index on positions refuses most of what a broken head does. Then
		// it is the answers that nobody may give.
		"the head is let go before the commit, the index holds": {rules: []string{"answer"}, breakIt: func(ctx context.Context, b breakage) error {
			return b.replace(ctx, takeHead, letGo)
		}},
		"the edge is read by the statement that takes the head, the index holds": {rules: []string{"answer"}, breakIt: func(ctx context.Context, b breakage) error {
			return errors.Join(b.replace(ctx, readEdge, takenByReading), b.replace(ctx, takeHead, ``))
		}},
		"the head is let go before the commit": {rules: []string{"twice", "skipped", "changed"}, breakIt: func(ctx context.Context, b breakage) error {
			return errors.Join(b.plainPositions(ctx), b.replace(ctx, takeHead, letGo))
		}},
		"the edge is read by the statement that takes the head": {rules: []string{"twice", "skipped", "changed"}, breakIt: func(ctx context.Context, b breakage) error {
			return errors.Join(b.plainPositions(ctx), b.replace(ctx, readEdge, takenByReading), b.replace(ctx, takeHead, ``))
		}},
		"positions come from a sequence": {rules: []string{"skipped"}, breakIt: func(ctx context.Context, b breakage) error {
			_, err := b.pool.Exec(ctx, `CREATE SEQUENCE `+pgx.Identifier{b.schema, "positions"}.Sanitize())
			return errors.Join(err,
				b.replace(ctx, takeHead, ``),
				b.replace(ctx, readEdge, `greatest((SELECT nextval('positions') - 1), (SELECT 0 * max(e.position)`),
				b.replace(ctx, `head + e.o`, `CASE e.o WHEN 1 THEN head + 1 ELSE nextval('positions') END`))
		}},
		"the floor is forgotten after a hard delete": {rules: []string{"twice"}, breakIt: func(ctx context.Context, b breakage) error {
			return errors.Join(
				b.replace(ctx, `UPDATE store SET floor = NEW.removed;`, `NULL;`),
				b.replace(ctx, `head := NEW.removed;`, `NULL;`))
		}},
		"links are put behind any version": {rules: []string{"lost"}, breakIt: func(ctx context.Context, b breakage) error {
			return b.replace(ctx, `IF NOT (s_expected = -1 OR s_expected = link.version OR s_expected = -2 AND link.version > 0) THEN`, `IF false THEN`)
		}},
		"links beyond the third are passed over": {rules: []string{"lost", "answer"}, breakIt: func(ctx context.Context, b breakage) error {
			return b.replace(ctx, `SELECT target, link.version + q.o, e.stream_id, e.version
    FROM unnest(q_ids) WITH ORDINALITY q(id, o)`, `SELECT target, link.version + q.o, e.stream_id, e.version
    FROM unnest(q_ids) WITH ORDINALITY q(id, o) JOIN generate_series(1, 3) g ON g = q.o`)
		}},
		"a stream that is deleted softly takes appends": {rules: []string{"answer"}, breakIt: func(ctx context.Context, b breakage) error {
			return errors.Join(b.replace(ctx, `WHEN l.deleted_at IS NOT NULL THEN 3`, ``), b.replace(ctx, `AND l.deleted_at IS NULL`, ``))
		}},
		"event ids are indexed before they have a position": {rules: []string{"stall"}, breakIt: func(ctx context.Context, b breakage) error {
			return b.index(ctx, "events_event_id_key", `UNIQUE INDEX events_event_id_key ON esgen.events (event_id)`)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// Chance decides how soon it shows.
			found := ""
			for begin := time.Now(); found == "" && time.Since(begin) < 2*time.Minute; {
				b := breakage{pgtest.Schema(t), pgtest.Pool(t)}
				open(t, b.pool, b.schema)
				if err := c.breakIt(t.Context(), b); err != nil {
					t.Fatal(err)
				}
				r := calm(t, b.schema, 15, 0, stall/2)
				for _, rule := range c.rules {
					if r.Broken(rule) {
						found = rule
					}
				}
				if found != "" {
					t.Logf("found after %s: %v", time.Since(begin).Round(time.Millisecond), r.Err())
				}
			}
			if found == "" {
				t.Errorf("no breach of any of %q", c.rules)
			}
		})
	}
}

// TestOpenTransactionsHoldUpNobody is the other side: the sound store passes where
// the broken ones fail, and while transactions stay open for seconds, and then
// store an id that somebody else has stored meanwhile, others go on.
func TestOpenTransactionsHoldUpNobody(t *testing.T) {
	t.Parallel()
	schema := pgtest.Schema(t)
	open(t, pgtest.Pool(t), schema)
	r := calm(t, schema, 40, hold, stall)
	t.Log(r)
	if err := r.Err(); err != nil {
		t.Error(err)
	}
}

// hold is how long the longest transactions of a calm round stay open, stall how
// long nobody else may have to wait. On a machine with much else to do an append
// takes its time.
const (
	hold  = 6 * time.Second
	stall = 4 * time.Second
)

// calm lets two stores of this process work on one schema for a moment, and checks
// everything that is stored.
func calm(t *testing.T, schema string, ops int, hold, stall time.Duration) history.Report {
	t.Helper()
	dir := t.TempDir()
	var all sync.WaitGroup
	for _, name := range []string{"p1", "p2"} {
		s := open(t, pgtest.Pool(t), schema)
		all.Go(func() {
			c := job{Dir: dir, Name: name, Seed: rand.Uint64(), Writers: 4, Hold: hold, Timeout: 3 * stall / 2}.config(s)
			c.Ops = ops
			if err := history.Run(t.Context(), c); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if err := history.Finish(t.Context(), dir, open(t, pgtest.Pool(t), schema)); err != nil {
		t.Fatal(err)
	}
	r, err := history.Check(dir, history.Options{Stall: stall})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func open(t *testing.T, pool *pgxpool.Pool, schema string) *postgres.Store {
	t.Helper()
	s, err := postgres.New(pool, postgres.Config{Schema: schema, HardDeletes: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}
