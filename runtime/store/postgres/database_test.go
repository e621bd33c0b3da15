package postgres_test

import (
	"context"
	"crypto/rand"
	"errors"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/esgen/esgen/internal/pgtest"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/postgres"
)

// missing returns the DSN of a database that is not there, and removes it in the
// end.
func missing(t *testing.T) *url.URL {
	t.Helper()
	u, err := url.Parse(pgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/esgen " + strings.ToLower(rand.Text()[:12]) // names may hold anything
	t.Cleanup(func() {
		if err := postgres.DropDatabase(context.Background(), u.String(), ""); err != nil {
			t.Error(err)
		}
	})
	return u
}

func TestCreateFromNothingAtOnce(t *testing.T) {
	t.Parallel()
	u := missing(t)
	c := postgres.Config{Schema: `a "store"`}
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			if err := postgres.Create(t.Context(), u.String(), c); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	pool, err := pgxpool.New(t.Context(), u.String())
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	s, err := postgres.New(pool, c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Append(t.Context(), batch("a-1", store.NoStream, event("x", `{}`))); err != nil {
		t.Error(err)
	}
	var encoding string
	if err := pool.QueryRow(t.Context(), "SHOW server_encoding").Scan(&encoding); err != nil || encoding != "UTF8" {
		t.Errorf("encoding %s, %v", encoding, err)
	}
	if names, err := postgres.Schemas(t.Context(), pool); err != nil || len(names) != 1 || names[0] != c.Schema {
		t.Errorf("schemas that hold a store: %q, %v", names, err)
	}
}

func TestCreateDatabaseCreatesOnce(t *testing.T) {
	t.Parallel()
	u := missing(t)
	var created atomic.Int32
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			switch made, err := postgres.CreateDatabase(t.Context(), u.String(), ""); {
			case err != nil:
				t.Error(err)
			case made:
				created.Add(1)
			}
		})
	}
	wg.Wait()
	if created.Load() != 1 {
		t.Errorf("%d of 6 calls say that they created the database", created.Load())
	}
}

// Who may create databases need not be who uses them.
func TestCreateDatabaseByAnotherRole(t *testing.T) {
	t.Parallel()
	u := missing(t)
	server := pgtest.URL(t)
	role := "esgen_test_" + strings.ToLower(rand.Text()[:10])
	conn := connect(t, server)
	if _, err := conn.Exec(t.Context(), "CREATE ROLE "+role+" LOGIN"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// The database belongs to the role, and goes first.
		err := postgres.DropDatabase(context.Background(), u.String(), server)
		conn, again := pgx.Connect(context.Background(), server)
		if err = errors.Join(err, again); err == nil {
			_, err = conn.Exec(context.Background(), "DROP ROLE "+role)
			conn.Close(context.Background())
		}
		if err != nil {
			t.Error(err)
		}
	})
	user := u.User
	u.User = url.User(role)
	if _, err := postgres.CreateDatabase(t.Context(), u.String(), ""); err == nil || !strings.Contains(err.Error(), "let a role with CREATEDB create it") {
		t.Errorf("a role without CREATEDB: %v", err)
	}
	if created, err := postgres.CreateDatabase(t.Context(), u.String(), server); err != nil || !created {
		t.Fatalf("%t, %v", created, err)
	}
	if err := postgres.Create(t.Context(), u.String(), postgres.Config{}); err != nil {
		t.Errorf("the role cannot use its database: %v", err)
	}
	u.User = user
}

func TestDatabaseRefusals(t *testing.T) {
	t.Parallel()
	server, err := url.Parse(pgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	named := func(name string) string {
		u := *server
		u.Path = "/" + name
		return u.String()
	}
	away := "postgres://ada:sesame@127.0.0.1:1/bank"
	for name, tt := range map[string]struct {
		dsn, maintenance string
		want             error
		text             string
	}{
		"a name too long":      {named(strings.Repeat("x", 64)), "", store.ErrInvalid, "64 bytes long"},
		"no name":              {named(""), "", store.ErrInvalid, "names none"},
		"a server that is off": {away, "", store.ErrUnavailable, "create database bank: database unavailable"},
		"maintenance missing":  {named("esgen_missing"), "nowhere", nil, `"nowhere" does not exist`},
		"maintenance away":     {named("esgen_missing"), away, store.ErrUnavailable, "create database esgen_missing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := postgres.CreateDatabase(t.Context(), tt.dsn, tt.maintenance)
			if err == nil || tt.want != nil && !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) || strings.Contains(err.Error(), "sesame") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestAnotherEncodingIsRefused(t *testing.T) {
	t.Parallel()
	u := missing(t)
	conn := connect(t, pgtest.URL(t))
	name := pgx.Identifier{strings.TrimPrefix(u.Path, "/")}.Sanitize()
	if _, err := conn.Exec(t.Context(), "CREATE DATABASE "+name+" TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'"); err != nil {
		t.Fatal(err)
	}
	created, err := postgres.CreateDatabase(t.Context(), u.String(), "")
	if created || !errors.Is(err, store.ErrInvalid) || !strings.Contains(err.Error(), "keeps texts as SQL_ASCII; an event store needs one with ENCODING 'UTF8'") {
		t.Errorf("%t, %v", created, err)
	}
}

func TestADatabaseInUseIsNotDropped(t *testing.T) {
	t.Parallel()
	u := missing(t)
	if err := postgres.Create(t.Context(), u.String(), postgres.Config{}); err != nil {
		t.Fatal(err)
	}
	conn := connect(t, u.String())
	err := postgres.DropDatabase(t.Context(), u.String(), "")
	if !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "being accessed by other users") {
		t.Errorf("got %v", err)
	}
	if err := conn.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := postgres.DropDatabase(t.Context(), u.String(), ""); err != nil {
		t.Error(err)
	}
	if err := postgres.DropDatabase(t.Context(), u.String(), ""); err != nil {
		t.Errorf("the second time: %v", err)
	}
}

func connect(t *testing.T, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}
