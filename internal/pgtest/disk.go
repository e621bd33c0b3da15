//go:build unix

package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// Small makes the options those of a server whose data directory is a file system
// of its own in memory, of so many bytes, with [Server.FillDisk]. It skips tb where
// that cannot be had: it takes root on Linux.
func Small(tb testing.TB, bytes int64) Options {
	tb.Helper()
	if runtime.GOOS != "linux" || os.Getuid() != 0 {
		tb.Skip("a full disk takes a file system of its own, which only root can mount, and on Linux")
	}
	// Root in a container may be forbidden to.
	try := &directory{path: tb.TempDir(), owner: account{0, 0}}
	if err := try.mount(1 << 20); err != nil {
		tb.Skipf("a full disk takes a file system of its own: %v", err)
	}
	try.unmount()
	// What is over of the log is not kept for reuse: where it grows, the disk fills.
	return Options{disk: bytes, Settings: map[string]string{"wal_recycle": "off"}}
}

// mount makes the data directory a file system of so many bytes.
func (d *directory) mount(bytes int64) error {
	data := d.file("data")
	if err := os.Mkdir(data, 0o700); err != nil {
		return err
	}
	options := fmt.Sprintf("size=%d,mode=0700,uid=%d,gid=%d", bytes, d.owner.uid, d.owner.gid)
	out, err := exec.CommandContext(context.Background(), "mount", "-t", "tmpfs", "-o", options, "tmpfs", data).CombinedOutput()
	if err != nil {
		return fmt.Errorf("mount a file system of %d bytes: %w: %s", bytes, err, strings.TrimSpace(string(out)))
	}
	return nil
}

// unmount takes the file system of a data directory away, if there is one.
func (d *directory) unmount() {
	device := func(path string) any {
		info, err := os.Lstat(path)
		if err != nil {
			return nil
		}
		stat, ok := info.Sys().(*syscall.Stat_t)
		if !ok {
			return nil
		}
		return stat.Dev
	}
	if data := device(d.file("data")); data != nil && data != device(d.path) {
		_ = exec.CommandContext(context.Background(), "umount", "--lazy", d.file("data")).Run()
	}
}

// FillDisk leaves no byte on the disk of a server that [Small] made.
func (s *Server) FillDisk() {
	s.t.Helper()
	ballast, err := os.Create(s.d.file("data/ballast"))
	if err != nil {
		s.t.Fatalf("fill the disk: %v", err)
	}
	defer func() { _ = ballast.Close() }()
	for _, size := range []int{1 << 20, 4096, 1} {
		for err = nil; err == nil; {
			_, err = ballast.Write(make([]byte, size))
		}
	}
	if !errors.Is(err, syscall.ENOSPC) {
		s.t.Fatalf("fill the disk: %v", err)
	}
}

// FreeDisk takes away what FillDisk has put there.
func (s *Server) FreeDisk() {
	s.t.Helper()
	if err := os.Remove(s.d.file("data/ballast")); err != nil {
		s.t.Fatalf("free the disk: %v", err)
	}
}

// Runs reports whether the server's postmaster has not ended by itself.
func (s *Server) Runs() bool {
	_, err := os.Stat(s.d.file("exited"))
	return errors.Is(err, os.ErrNotExist)
}
