//go:build unix

package pgtest_test

import (
	"bufio"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"github.com/esgen/esgen/internal/pgtest"
)

// What a process that a test starts is to do.
const (
	childVariable   = "ESGEN_PGTEST_CHILD"
	privateVariable = "ESGEN_PGTEST_PRIVATE"
)

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		os.Exit(child())
	}
	goleak.VerifyTestMain(m)
}

// child uses the shared server until its standard input ends.
func child() int {
	url, err := pgtest.Join()
	if err != nil {
		fmt.Println("error:", err)
		return 1
	}
	fmt.Println(url)
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}

func TestPoolAnswersAndSchemaIsDropped(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	var name string
	t.Run("uses a schema", func(t *testing.T) {
		name = pgtest.Schema(t)
		if _, err := pool.Exec(t.Context(), "CREATE SCHEMA "+name+" CREATE TABLE t (i int)"); err != nil {
			t.Fatal(err)
		}
	})
	var there bool
	err := pool.QueryRow(t.Context(), "SELECT to_regnamespace($1) IS NOT NULL", name).Scan(&there)
	if err != nil || there {
		t.Fatalf("after the test the schema is there: %v, %v", there, err)
	}
}

func TestPrivateServerKeepsItsDataThroughStopAndKill(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t, pgtest.Options{Settings: map[string]string{"work_mem": "3MB"}})
	pool := s.Pool(t)
	if _, err := pool.Exec(t.Context(), "CREATE TABLE t (i int)"); err != nil {
		t.Fatal(err)
	}
	for i, mode := range []pgtest.Mode{pgtest.Fast, pgtest.Immediate, pgtest.Kill} {
		if _, err := pool.Exec(t.Context(), "INSERT INTO t VALUES ($1)", i); err != nil {
			t.Fatal(err)
		}
		s.Stop(mode)
		// After a kill, a connection may live on for a moment.
		if err := pool.Ping(t.Context()); err == nil && mode != pgtest.Kill {
			t.Fatal("a stopped server answers")
		}
		s.Restart()
		pool.Reset()
		var rows int
		var memory string
		err := pool.QueryRow(t.Context(), "SELECT count(*), current_setting('work_mem') FROM t").Scan(&rows, &memory)
		if err != nil || rows != i+1 || memory != "3MB" {
			t.Fatalf("after restart %d: %d rows, work_mem %s, %v", i, rows, memory, err)
		}
	}
}

// process is a test process of its own.
type process struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	url string
}

// spawn starts a process that uses the shared server of the directory tmp.
func spawn(t *testing.T, tmp string, as *syscall.Credential, env ...string) *process {
	t.Helper()
	pgtest.SkipIfOff(t)
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if as != nil {
		program = copyFor(t, program)
	}
	p := &process{cmd: exec.Command(program, "-test.run=^TestPrivateServerOfAnotherProcess$")}
	p.cmd.Dir = "/"
	p.cmd.Env = append(os.Environ(), childVariable+"=1", "TMPDIR="+tmp, "ESGEN_TEST_DATABASE_URL=")
	p.cmd.Env = append(p.cmd.Env, env...)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as}
	p.cmd.Stderr = os.Stderr
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	line, err := bufio.NewReader(out).ReadString('\n')
	p.url = strings.TrimSpace(line)
	if err != nil || strings.HasPrefix(p.url, "error:") {
		t.Fatalf("the child says %q, %v", line, err)
	}
	return p
}

func copyFor(t *testing.T, program string) string {
	t.Helper()
	data, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(shortDir(t), "program")
	if err := os.WriteFile(path, data, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func (p *process) kill() {
	if p.cmd.ProcessState == nil {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
	}
}

func (p *process) leave() {
	p.in.Close()
	_ = p.cmd.Wait()
}

// shortDir is a directory for everybody whose path leaves room for a socket's.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "pgt")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o777|os.ModeSticky); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func servers(t *testing.T, tmp string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(tmp, "*", "server-*"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// eventually fails t unless done becomes true soon.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(20 * time.Second); !done(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("waited 20 s in vain: %s", what)
		}
	}
}

func answers(t *testing.T, url string) bool {
	t.Helper()
	c, err := pgx.Connect(t.Context(), url)
	if err == nil {
		err = c.Close(t.Context())
	}
	return err == nil
}

func readPid(t *testing.T, path string) int {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(strings.SplitN(string(text), "\n", 2)[0]))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// gone reports that a process has ended, also if nobody has collected it yet.
func gone(pid int) bool {
	out, err := exec.Command("ps", "-o", "stat=", "-p", strconv.Itoa(pid)).Output()
	return err != nil || strings.HasPrefix(string(out), "Z")
}

func TestProcessesShareAServerThatEndsWithTheLastOfThem(t *testing.T) {
	t.Parallel()
	tmp := shortDir(t)
	first := spawn(t, tmp, nil)
	second := spawn(t, tmp, nil)
	if first.url != second.url || len(servers(t, tmp)) != 1 {
		t.Fatalf("two servers: %s and %s", first.url, second.url)
	}
	pid := readPid(t, filepath.Join(servers(t, tmp)[0], "data", "postmaster.pid"))

	first.kill()
	if !answers(t, second.url) {
		t.Fatal("the server ended with the process that started it, although another uses it")
	}
	second.leave()
	third := spawn(t, tmp, nil)
	if third.url != second.url {
		t.Fatal("the server did not wait for the next process")
	}
	third.kill()
	eventually(t, "the server ends with its last user, killed", func() bool { return gone(pid) && len(servers(t, tmp)) == 0 })
}

func TestServerStaysAsLongAsItsUser(t *testing.T) {
	t.Parallel()
	p := spawn(t, shortDir(t), nil)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	// Longer than a server without users is kept.
	for end := time.Now().Add(4 * time.Second); time.Now().Before(end); <-tick.C {
		if !answers(t, p.url) {
			t.Fatal("the server is gone, its user is not")
		}
	}
}

// TestALongTemporaryDirectoryIsNotUsed holds that a socket's path, which is bounded,
// is short enough for every user and version.
func TestALongTemporaryDirectoryIsNotUsed(t *testing.T) {
	t.Parallel()
	tmp := shortDir(t)
	tmp = filepath.Join(tmp, strings.Repeat("x", 48-len(tmp)-1)) // as long as macOS makes it
	if err := os.Mkdir(tmp, 0o700); err != nil {
		t.Fatal(err)
	}
	p := spawn(t, tmp, nil)
	if !strings.Contains(p.url, url.QueryEscape("/tmp/esgen-pgtest-")) || strings.Contains(p.url, "xxx") {
		t.Errorf("in %s the server is at %s", tmp, p.url)
	}
	p.leave()
}

func TestOrdinaryUserRunsItsOwnServer(t *testing.T) {
	t.Parallel()
	tmp := shortDir(t)
	var as *syscall.Credential
	if os.Getuid() == 0 {
		u, err := user.Lookup("nobody")
		if err != nil {
			t.Fatal(err)
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	p := spawn(t, tmp, as)
	if !answers(t, p.url) {
		t.Fatal("no answer")
	}
	p.kill()
	eventually(t, "the server ends", func() bool { return len(servers(t, tmp)) == 0 })
}

// fakeDocker runs the server that is installed here as if it were in a container.
const fakeDocker = `#!/bin/sh
bin=$(dirname "$(readlink -f "$(command -v postgres || ls /usr/lib/postgresql/*/bin/postgres | tail -1)")")
as=
[ "$(id -u)" != 0 ] || as="setpriv --reuid=nobody --regid=nogroup --clear-groups"
case $1 in
version) echo 1 ;;
port) cat "$FAKE_DOCKER/$2.port" ;;
rm) touch "$FAKE_DOCKER/$3.removed" ;;
run)
	name=$4
	while [ "$1" != image ]; do shift; done
	shift
	mkdir -m 777 "$FAKE_DOCKER/$name"
	$as "$bin/initdb" -D "$FAKE_DOCKER/$name/data" -U postgres -A trust --no-sync >/dev/null
	port=$((20000 + $$ % 20000))
	echo "127.0.0.1:$port" >"$FAKE_DOCKER/$name.port"
	exec $as "$bin/postgres" -D "$FAKE_DOCKER/$name/data" -k '' -h 127.0.0.1 -p "$port" "$@"
	;;
esac
`

func TestServerInDocker(t *testing.T) {
	t.Parallel()
	tmp := shortDir(t)
	if err := os.WriteFile(filepath.Join(tmp, "docker"), []byte(fakeDocker), 0o755); err != nil {
		t.Fatal(err)
	}
	env := []string{
		"PATH=" + tmp + ":" + os.Getenv("PATH"), "FAKE_DOCKER=" + tmp,
		"ESGEN_TEST_POSTGRES=docker", "ESGEN_TEST_POSTGRES_IMAGE=image",
	}
	first := spawn(t, tmp, nil, env...)
	second := spawn(t, tmp, nil, env...)
	if first.url != second.url || !strings.Contains(first.url, "127.0.0.1") || !answers(t, second.url) {
		t.Fatalf("two servers: %s and %s", first.url, second.url)
	}
	first.leave()
	second.kill()
	eventually(t, "the server ends", func() bool {
		left, _ := filepath.Glob(filepath.Join(tmp, "*", "docker-*"))
		return len(left) == 0 && !answers(t, first.url)
	})
}

func TestWhatIsNotThereIsNamed(t *testing.T) {
	t.Parallel()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for source, want := range map[string]string{
		"ESGEN_TEST_POSTGRES_BIN=/nowhere": "ESGEN_TEST_POSTGRES_BIN=/nowhere",
		"ESGEN_TEST_POSTGRES=cloud":        "want installed, docker, download, off or nothing",
	} {
		cmd := exec.CommandContext(t.Context(), program)
		cmd.Env = append(os.Environ(), childVariable+"=1", "TMPDIR="+shortDir(t), "ESGEN_TEST_DATABASE_URL=", "ESGEN_TEST_POSTGRES=", source)
		out, err := cmd.Output()
		if err == nil || !strings.Contains(string(out), want) {
			t.Errorf("%s: %q, %v", source, out, err)
		}
	}
}

func TestAURLIsTakenAsItIs(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	p := spawn(t, shortDir(t), nil, "ESGEN_TEST_DATABASE_URL="+url)
	if p.url != url {
		t.Errorf("the child uses %s, not %s", p.url, url)
	}
}
