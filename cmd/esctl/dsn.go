package main

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// place is what a DSN names: a file, or a database.
type place struct {
	file string
	pool *pgxpool.Config
}

// parseDSN reads the DSN that what has given. No error shows it, nor a part of it
// that could be of a password.
func parseDSN(what, dsn string) (place, error) {
	if dsn == "" {
		return place{}, fmt.Errorf("no %s says where the store is", what)
	}
	kind, rest, _ := strings.Cut(dsn, ":")
	switch kind {
	case "sqlite":
		if rest == "" {
			return place{}, fmt.Errorf("%s names no file: write sqlite:FILE", what)
		}
		return place{file: rest}, nil
	case "postgres", "postgresql":
		// Without the slashes it would be read as keywords, and lead elsewhere.
		if !strings.HasPrefix(rest, "//") {
			break
		}
		if !readable(rest) {
			return place{}, fmt.Errorf("%s cannot be read as an address; encode special characters of the password: %%2F for /, %%25 for %%, %%3A for :, %%40 for @", what)
		}
		c, err := pgxpool.ParseConfig(dsn)
		if err != nil {
			return place{}, fmt.Errorf("%s: %w", what, err)
		}
		c.MaxConns = min(c.MaxConns, 4)
		if c.ConnConfig.ConnectTimeout == 0 {
			c.ConnConfig.ConnectTimeout = 5 * time.Second
		}
		if c.ConnConfig.RuntimeParams["application_name"] == "" {
			c.ConnConfig.RuntimeParams["application_name"] = "esctl"
		}
		return place{pool: c}, nil
	}
	return place{}, fmt.Errorf("%s is neither postgres://… nor sqlite:FILE", what)
}

// readable reports whether an address has one @ at most, in front of the host. A
// password with / or @ in it ends too early, and what is behind that would be taken
// for the name of a host or database, and shown.
func readable(address string) bool {
	address, _, _ = strings.Cut(strings.TrimPrefix(address, "//"), "?")
	host := address
	if i := strings.IndexAny(address, "@/"); i >= 0 && address[i] == '@' {
		if _, err := url.PathUnescape(address[:i]); err != nil {
			return false
		}
		host = address[i+1:]
	}
	return !strings.Contains(host, "@")
}

// place is where the stores are.
func (s shell) place() (place, error) {
	p, err := parseDSN("-dsn or "+dsnVariable, s.dsn)
	switch {
	case err != nil:
		return p, s.misused("%v", err)
	case p.pool == nil && (len(s.schemas) > 0 || s.all):
		return p, s.misused("a file holds one store; -schema and -all are for PostgreSQL")
	case len(s.schemas) > 0 && s.all:
		return p, s.misused("-all means every schema; leave -schema away")
	}
	seen := make(map[string]bool)
	for _, name := range s.schemas {
		if seen[name] {
			return p, s.misused("schema %s is given twice", printable(name))
		}
		seen[name] = true
	}
	return p, nil
}

// String names the database for people, without its password.
func (p place) String() string {
	if p.pool == nil {
		return p.file
	}
	c := p.pool.ConnConfig
	return fmt.Sprintf("database %s on %s", printable(c.Database), printable(c.Host))
}
