//go:build unix

package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// linger is how long a shared server waits for the next test process.
const linger = 2 * time.Second

// membership keeps the shared server's pipe open for the life of this process.
var membership *os.File //nolint:unused // nobody reads it; it must not be collected

// join returns the URL of the running shared server, or starts one.
func join() (string, error) {
	base, owner, err := base()
	if err != nil {
		return "", err
	}
	unlock, err := lock(base)
	if err != nil {
		return "", err
	}
	defer unlock()
	sweep(base)

	source := os.Getenv(sourceVariable)
	if source == "" || source == "installed" {
		b, ok, err := installed()
		switch {
		case err != nil:
			return "", err
		case ok:
			return joinOrStart(base, owner, "server-"+b.version+"-", startFrom(b))
		case source != "":
			return "", errors.New("no server binaries on this machine")
		}
	}
	if source == "" || source == "docker" {
		err := dockerAnswers()
		switch {
		case err == nil:
			return joinOrStart(base, owner, "docker-", startContainer)
		case source != "":
			return "", fmt.Errorf("docker does not answer: %w", err)
		}
	}
	if source != "" && source != "download" {
		return "", fmt.Errorf("%s=%s: want installed, docker, download, off or nothing", sourceVariable, source)
	}
	b, err := download()
	switch {
	case err == nil:
		return joinOrStart(base, owner, "server-"+b.version+"-", startFrom(b))
	case source != "":
		return "", err
	default:
		return "", fmt.Errorf("no server binaries on this machine, Docker does not answer, and the download says: %w", err)
	}
}

// lock keeps other test processes from starting or sweeping servers.
func lock(base string) (unlock func(), err error) {
	f, err := lockFile(filepath.Join(base, "lock"))
	if err != nil {
		return nil, err
	}
	return func() { _ = f.Close() }, nil
}

// lockFile waits for the lock on a file, which lasts until the file is closed.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return f, nil
}

// starter starts a server in d under the supervisor and returns its URL.
type starter func(d *directory, users *os.File) (string, error)

func startFrom(b binaries) starter {
	return func(d *directory, users *os.File) (string, error) {
		if err := d.initdb(b); err != nil {
			return "", err
		}
		cmd, err := d.start(users, linger, d.command(b, quick()))
		if err != nil {
			return "", err
		}
		defer func() { _ = cmd.Process.Release() }()
		return d.await(func() (string, error) { return d.url(), nil })
	}
}

// quick are the settings of a server whose data need not survive the machine.
func quick() map[string]string {
	return map[string]string{
		"max_connections": "300", "fsync": "off", "full_page_writes": "off",
		"shared_buffers": "128MB", "timezone": "UTC", "max_prepared_transactions": "10",
	}
}

func joinOrStart(base string, owner account, prefix string, start starter) (string, error) {
	candidates, err := filepath.Glob(filepath.Join(base, prefix+"*"))
	if err != nil {
		return "", err
	}
	for _, path := range candidates {
		d := &directory{path: path, owner: owner}
		where, err := os.ReadFile(d.file("url"))
		if err != nil {
			continue
		}
		users, err := enter(d)
		if err != nil {
			continue
		}
		if ping(context.Background(), string(where)) == nil {
			membership = users
			return string(where), nil
		}
		_ = users.Close()
	}

	d, err := newDirectory(base, owner, prefix)
	if err != nil {
		return "", err
	}
	where, err := startShared(d, start)
	if err != nil {
		// Without users the supervisor, if it runs, ends the server.
		d.remove()
		return "", err
	}
	// From here on the lock belongs to the server's processes alone.
	_ = d.alive.Close()
	return where, nil
}

func startShared(d *directory, start starter) (string, error) {
	pipe := d.file("users")
	if err := errors.Join(syscall.Mkfifo(pipe, 0o600), d.owner.own(pipe)); err != nil {
		return "", fmt.Errorf("make the pipe of the server's users: %w", err)
	}
	// Opened without waiting: a pipe without the other end would block.
	read, err := os.OpenFile(pipe, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return "", err
	}
	defer func() { _ = read.Close() }()
	// The supervisor does wait on it: an end without data would be the end of all users.
	if err := syscall.SetNonblock(int(read.Fd()), false); err != nil {
		return "", err
	}
	users, err := enter(d)
	if err != nil {
		return "", err
	}
	where, err := start(d, read)
	if err == nil {
		err = os.WriteFile(d.file("url"), []byte(where), 0o600)
	}
	if err != nil {
		_ = users.Close()
		return "", err
	}
	membership = users
	return where, nil
}

// enter makes this process a user of the server in d, for as long as the file is
// open. It fails if the server's supervisor is gone or about to go.
func enter(d *directory) (*os.File, error) {
	users, err := os.OpenFile(d.file("users"), os.O_WRONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	if _, err := users.Write([]byte{'+'}); err != nil {
		_ = users.Close()
		return nil, err
	}
	return users, nil
}

// sweep removes what killed processes left: directories in which no process
// lives, and servers that lost their supervisor.
func sweep(base string) {
	paths, _ := filepath.Glob(filepath.Join(base, "*-*"))
	for _, path := range paths {
		d := &directory{path: path}
		if !d.dead() && d.orphaned() {
			d.kill()
		}
		if d.dead() {
			d.removeContainer()
			d.unmount()
			_ = os.RemoveAll(path)
		}
	}
}

// dead reports that no process of the server holds its lock.
func (d *directory) dead() bool {
	free, err := unlocked(d.file("alive"))
	return free || errors.Is(err, os.ErrNotExist)
}

// unlocked reports that nobody holds the lock on a file that is there.
func unlocked(path string) (bool, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return false, err
	}
	defer func() { _ = f.Close() }()
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil, nil
}

// orphaned reports that nobody reads the pipe of a shared server's users, or that
// the test process of a private server has ended.
func (d *directory) orphaned() bool {
	if free, err := unlocked(d.file("owner")); err == nil {
		return free
	}
	users, err := os.OpenFile(d.file("users"), os.O_WRONLY|syscall.O_NONBLOCK, 0)
	if err == nil {
		_ = users.Close()
	}
	return errors.Is(err, syscall.ENXIO)
}

// removeContainer removes the container of a server in Docker, which may outlive
// all processes that this package knows. It reports whether the server was one.
func (d *directory) removeContainer() bool {
	name, err := os.ReadFile(d.file("container"))
	if err != nil {
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_ = exec.CommandContext(ctx, "docker", "rm", "--force", strings.TrimSpace(string(name))).Run()
	return true
}

// kill ends a server that lost its supervisor and waits until it is gone.
func (d *directory) kill() {
	// A container's client ends with it.
	if text, err := os.ReadFile(d.file("pid")); !d.removeContainer() && err == nil {
		if pid, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil && d.runs(pid) {
			_ = syscall.Kill(pid, syscall.SIGQUIT)
			_ = syscall.Kill(pid, syscall.SIGTERM) // as the supervisor does
		}
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(10 * time.Second); !d.dead() && time.Now().Before(deadline); {
		<-tick.C
	}
}

// runs reports that the process is the server of d: a number of one that has ended
// may be another's by now.
func (d *directory) runs(pid int) bool {
	out, err := exec.CommandContext(context.Background(), "ps", "-o", "args=", "-p", strconv.Itoa(pid)).Output()
	return err == nil && pid > 1 && strings.Contains(string(out), d.path+"/")
}
