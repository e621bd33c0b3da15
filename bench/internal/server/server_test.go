//go:build unix

package server_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/esgen/esgen/bench/internal/server"
)

// Figures of a server that does not keep what it acknowledges would be worthless.
func TestServerIsDurable(t *testing.T) {
	if strings.EqualFold(os.Getenv("ESGEN_TEST_POSTGRES"), "off") {
		t.Skip("ESGEN_TEST_POSTGRES=off")
	}
	if _, err := exec.LookPath("initdb"); err != nil {
		if found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb"); len(found) == 0 {
			t.Skip("no server programs on this machine")
		}
	}
	t.Setenv("TMPDIR", "/tmp") // a socket's path is short
	// What a killed program has left is removed; what another uses is not.
	left, err := os.MkdirTemp("", "esgen-bench-")
	if err != nil {
		t.Fatal(err)
	}
	used, err := os.MkdirTemp("", "esgen-bench-")
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{left, used} {
		if err := os.Chtimes(dir, time.Time{}, time.Now().Add(-time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	defer func() { _ = os.RemoveAll(used) }()
	f, err := os.Open(used)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	s, err := server.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(left); !os.IsNotExist(err) {
		t.Errorf("%s is still there: %v", left, err)
	}
	if _, err := os.Stat(used); err != nil {
		t.Errorf("a directory in use was removed: %v", err)
	}
	stopped := false
	defer func() {
		if !stopped {
			s.Stop()
		}
	}()
	c, err := pgx.Connect(t.Context(), s.DSN())
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "autovacuum": "on", "shared_buffers": "1GB", "max_wal_size": "8GB",
	} {
		var got string
		if err := c.QueryRow(t.Context(), "SELECT current_setting($1)", name).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %s (%v), want %s", name, got, err, want)
		}
	}
	var dir string
	if err := c.QueryRow(t.Context(), "SHOW data_directory").Scan(&dir); err != nil {
		t.Fatal(err)
	}
	// An open connection does not keep it from stopping.
	s.Stop()
	stopped = true
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("%s is left: %v", dir, err)
	}
	if _, err := pgx.Connect(t.Context(), s.DSN()); err == nil {
		t.Error("the server still answers")
	}
	_ = c.Close(t.Context())
}
