package postgres_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/esgen/esgen/internal/pgtest"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/postgres"
)

// book keeps what is logged.
type book struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *book) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *book) has(t *testing.T, words ...string) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for line := range strings.Lines(b.text.String()) {
		found := true
		for _, w := range words {
			found = found && strings.Contains(line, w)
		}
		if found {
			return
		}
	}
	t.Errorf("no line of the log holds %q:\n%s", words, b.text.String())
}

// TestAnOperatorIsToldWhatToActOn brings each of these about once.
func TestAnOperatorIsToldWhatToActOn(t *testing.T) {
	t.Parallel()
	var b book
	schema := pgtest.Schema(t)
	pool := pgtest.Pool(t, func(c *pgxpool.Config) {
		c.ConnConfig.RuntimeParams["default_transaction_isolation"] = "serializable"
	})
	s := openOn(t, pool, postgres.Config{Schema: schema, HardDeletes: true, Logger: slog.New(slog.NewTextHandler(&b, nil))})
	b.has(t, "level=INFO", "migrated", "store="+schema, "to=1", "name=store")
	mustAppend(t, s, one("bank-1", 0))
	b.has(t, "level=INFO", "isolation")

	twice := event("x", `{}`)
	mustAppend(t, s, batch("bank-2", 0, twice))
	if _, err := s.Append(t.Context(), batch("bank-3", 0, twice)); err == nil {
		t.Error("a duplicate was stored")
	}
	b.has(t, "level=WARN", "failed as a whole", "sqlstate=23505", "appends=1")

	if _, err := collect(s.Read(t.Context(), store.Query{Metadata: map[string]string{"user": "ada"}})); err != nil {
		t.Fatal(err)
	}
	b.has(t, "level=WARN", "no index", "index=metadata.user")

	if err := s.Delete(t.Context(), "bank-1", store.Any, store.Hard); err != nil {
		t.Fatal(err)
	}
	b.has(t, "level=INFO", "removed", "stream=bank-1", "version=1")

	release := holdHead(t, s)
	first := inBackground(t.Context(), s, one("bank-4", 0))
	waitsForHead(t, s, 1)
	second := inBackground(t.Context(), s, one("bank-5", 0))
	waitsForHead(t, s, 2)
	b.has(t, "level=WARN", "takes long", "after=500ms", "appends=1", "flushers=1")
	leaving, leave := context.WithCancel(t.Context())
	third := inBackground(leaving, s, one("bank-6", 0))
	waitsForHead(t, s, 3)
	leave()
	<-third
	b.has(t, "level=ERROR", "unknown", "stream=bank-6", "events=1")
	release()
	for _, told := range []<-chan answer{first, second} {
		if a := <-told; a.err != nil {
			t.Error(a.err)
		}
	}
}
