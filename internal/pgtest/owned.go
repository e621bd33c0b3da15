//go:build unix

package pgtest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// owned is a process of one test, a server or a pooler, under a supervisor that
// ends it with the test process.
type owned struct {
	t     testing.TB
	what  string // it is, for errors
	end   Mode   // how it is stopped at the end
	d     *directory
	users *os.File // open as long as this process wants it
	owner *os.File // locked as long as this process lives
	read  *os.File
	cmd   *exec.Cmd // the supervisor, nil while stopped
}

// make makes the directory, while no other test process sweeps.
func (o *owned) make(prefix string, before, after func() error) error {
	base, owner, err := base()
	if err != nil {
		return err
	}
	unlock, err := lock(base)
	if err != nil {
		return err
	}
	defer unlock()
	sweep(base)
	if err := before(); err != nil {
		return err
	}
	if o.d, err = newDirectory(base, owner, prefix); err != nil {
		return err
	}
	o.owner, err = lockFile(o.d.file("owner"))
	if err == nil {
		o.read, o.users, err = os.Pipe()
	}
	if err == nil {
		err = after()
	}
	if err != nil {
		o.d.remove()
	}
	return err
}

func (o *owned) close() {
	if o.cmd != nil {
		o.Stop(o.end)
	}
	_ = o.users.Close()
	_ = o.read.Close()
	_ = o.owner.Close()
	o.d.remove()
}

// start runs command and returns when it answers at url.
func (o *owned) start(command []string, url string) error {
	cmd, err := o.d.start(o.read, 0, command)
	if err != nil {
		return err
	}
	o.cmd = cmd
	if _, err = o.d.await(func() (string, error) { return url, nil }); err == nil {
		return nil
	}
	_ = o.signal(Kill)
	_ = o.cmd.Wait()
	o.cmd = nil
	return err
}

// Mode is how a server is stopped.
type Mode syscall.Signal

const (
	// Fast rolls back open transactions, disconnects clients and writes a checkpoint.
	Fast = Mode(syscall.SIGINT)
	// Immediate stops without a checkpoint; the next start recovers.
	Immediate = Mode(syscall.SIGQUIT)
	// Kill takes the postmaster away with SIGKILL; its processes notice and end.
	Kill = Mode(syscall.SIGKILL)
)

// Stop stops the process and returns when it has ended; after [Kill], processes of
// a server's connections may live on for a moment.
func (o *owned) Stop(m Mode) {
	o.t.Helper()
	if err := o.signal(m); err != nil {
		o.t.Fatalf("stop the %s: %v", o.what, err)
	}
	_ = o.cmd.Wait()
	o.cmd = nil
}

// signal sends m. That the process has ended is no error.
func (o *owned) signal(m Mode) error {
	text, err := os.ReadFile(o.d.file("pid"))
	if err != nil {
		return fmt.Errorf("it has no process id: %w", err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return fmt.Errorf("its process id: %w", err)
	}
	if err := syscall.Kill(pid, syscall.Signal(m)); err != nil && !errors.Is(err, syscall.ESRCH) {
		return err
	}
	return nil
}
