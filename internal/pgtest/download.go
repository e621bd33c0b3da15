//go:build unix

package pgtest

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"

	embeddedpostgres "github.com/fergusstrange/embedded-postgres"
)

// download returns binaries from the user's cache, which it fills from the
// network the first time. The caller holds the lock of all test processes.
func download() (binaries, error) {
	cache, err := os.UserCacheDir()
	// The server runs as somebody who cannot enter root's home.
	if os.Getuid() == 0 {
		cache, err = "/var/cache", nil
	}
	if err != nil {
		return binaries{}, err
	}
	version := embeddedpostgres.V17
	dir := filepath.Join(cache, "esgen", "postgres-"+string(version))
	if b, err := inspect(filepath.Join(dir, "bin")); err == nil {
		return b, nil
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return binaries{}, err
	}
	work, err := os.MkdirTemp(filepath.Dir(dir), "download-")
	if err != nil {
		return binaries{}, err
	}
	defer func() { _ = os.RemoveAll(work) }()
	port, err := freePort()
	if err != nil {
		return binaries{}, err
	}
	unpacked := filepath.Join(work, "postgres")
	server := embeddedpostgres.NewDatabase(embeddedpostgres.DefaultConfig().
		Version(version).Port(port).Logger(io.Discard).
		CachePath(filepath.Join(work, "archive")).BinariesPath(unpacked).
		RuntimePath(filepath.Join(work, "run")).DataPath(filepath.Join(work, "data")))
	// The library can fetch only by starting a server, which it cannot as root:
	// what counts is whether the binaries are there.
	startErr := server.Start()
	if startErr == nil {
		_ = server.Stop()
	}
	if _, err := inspect(filepath.Join(unpacked, "bin")); err != nil {
		return binaries{}, fmt.Errorf("PostgreSQL %s: %w", version, startErr)
	}
	if err := os.Chmod(unpacked, 0o755); err != nil {
		return binaries{}, err
	}
	if err := os.Rename(unpacked, dir); err != nil {
		return binaries{}, err
	}
	return inspect(filepath.Join(dir, "bin"))
}

func freePort() (uint32, error) {
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer func() { _ = l.Close() }()
	return uint32(l.Addr().(*net.TCPAddr).Port), nil
}
