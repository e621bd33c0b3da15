//go:build unix

package pgtest

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

//go:embed supervise.sh
var supervise string

const startTimeout = 60 * time.Second

// directory is where one server lives:
//
//	alive      locked as long as any process of the server, or its starter, lives
//	users      of a shared server: the pipe that all users hold open for writing
//	owner      of a private server: locked as long as its test process lives
//	data, log  the server's
//	pid        of the server
//	exited     the server's exit code, once it has ended
//	container  of a server in Docker: its name
type directory struct {
	path  string
	owner account
	alive *os.File
}

// base is the directory of all servers that this user's tests start.
func base() (string, account, error) {
	owner, err := serverAccount()
	if err != nil {
		return "", owner, err
	}
	tmp := os.TempDir()
	// The path of a unix socket has at most 103 bytes (on macOS), of which up to 62
	// follow: esgen-pgtest-USER, server-VERSION-NUMBER, .s.PGSQL.5432.
	if len(filepath.Clean(tmp)) > 103-62 {
		tmp = "/tmp"
	}
	path := filepath.Join(tmp, "esgen-pgtest-"+strconv.Itoa(os.Getuid()))
	return path, owner, owner.directory(path)
}

// newDirectory makes a directory whose lock this process holds. The caller holds
// the base's lock.
func newDirectory(base string, owner account, prefix string) (*directory, error) {
	path, err := os.MkdirTemp(base, prefix)
	if err != nil {
		return nil, err
	}
	d := &directory{path: path, owner: owner}
	d.alive, err = os.OpenFile(d.file("alive"), os.O_CREATE|os.O_RDWR, 0o600)
	if err == nil {
		err = errors.Join(syscall.Flock(int(d.alive.Fd()), syscall.LOCK_EX|syscall.LOCK_NB), owner.own(d.alive.Name()), owner.own(path))
	}
	if err != nil {
		d.remove()
		return nil, err
	}
	return d, nil
}

func (d *directory) file(name string) string { return filepath.Join(d.path, name) }

func (d *directory) remove() {
	if d.alive != nil {
		_ = d.alive.Close()
	}
	d.unmount()
	_ = os.RemoveAll(d.path)
}

func (d *directory) initdb(b binaries) error {
	cmd := exec.CommandContext(context.Background(), b.path("initdb"), "--pgdata="+d.file("data"), "--username=postgres", "--auth=trust",
		"--encoding=UTF8", "--locale=C", "--no-sync")
	cmd.SysProcAttr = d.owner.attributes()
	cmd.Dir = "/"
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}

// command runs the server of the directory on a unix socket there.
func (d *directory) command(b binaries, settings map[string]string) []string {
	args := make([]string, 0, 6+2*len(settings))
	args = append(args, b.path("postgres"), "-D", d.file("data"), "-k", d.path, "-h", "")
	for _, name := range sortedKeys(settings) {
		args = append(args, "-c", name+"="+settings[name])
	}
	return args
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func (d *directory) url() string {
	return "postgres://postgres@/postgres?sslmode=disable&host=" + url.QueryEscape(d.path)
}

// start runs command under its supervisor. users is the read end of the pipe
// that the server's users hold open.
func (d *directory) start(users *os.File, linger time.Duration, command []string) (*exec.Cmd, error) {
	_ = os.Remove(d.file("exited"))
	_ = os.Remove(d.file("pid"))
	log, err := os.OpenFile(d.file("log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }()
	seconds := strconv.FormatFloat(linger.Seconds(), 'f', -1, 64)
	cmd := exec.CommandContext(context.Background(), "/bin/sh", append([]string{"-c", supervise, "supervise", d.path, seconds}, command...)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = users, log, log
	cmd.ExtraFiles = []*os.File{d.alive}
	cmd.SysProcAttr = d.owner.attributes()
	cmd.Dir = "/"
	if err := errors.Join(d.owner.own(log.Name()), cmd.Start()); err != nil {
		return nil, fmt.Errorf("start the supervisor of a server: %w", err)
	}
	return cmd, nil
}

// await returns when the server answers. Its log is in the error if it does not.
func (d *directory) await(address func() (string, error)) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		where, err := address()
		if err == nil {
			err = ping(ctx, where)
		}
		if err == nil {
			return where, nil
		}
		if code, gone := os.ReadFile(d.file("exited")); gone == nil {
			return "", fmt.Errorf("the server ended with code %s; its log: %s", strings.TrimSpace(string(code)), d.log())
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("the server does not answer after %s: %w; its log: %s", startTimeout, err, d.log())
		case <-tick.C:
		}
	}
}

// log returns the end of the server's log.
func (d *directory) log() string {
	text, _ := os.ReadFile(d.file("log"))
	return strings.TrimSpace(string(text[max(0, len(text)-4000):]))
}

func ping(ctx context.Context, where string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	c, err := pgx.Connect(ctx, where)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close(ctx) }()
	return c.Ping(ctx)
}
