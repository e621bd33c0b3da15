//go:build unix

package pgtest_test

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/esgen/esgen/internal/pgtest"
)

func TestNextRunReapsAServerWithoutItsSupervisor(t *testing.T) {
	t.Parallel()
	tmp := shortDir(t)
	first := spawn(t, tmp, nil)
	dir := servers(t, tmp)[0]
	pid := readPid(t, filepath.Join(dir, "data", "postmaster.pid"))
	killSupervisor(t, dir)
	first.kill()
	if !answers(t, first.url) {
		t.Fatal("the server should have been left behind, or this test shows nothing")
	}
	second := spawn(t, tmp, nil)
	if second.url == first.url || !gone(pid) || len(servers(t, tmp)) != 1 {
		t.Fatalf("the orphan %d is gone: %v; servers %v", pid, gone(pid), servers(t, tmp))
	}
	second.kill()
	eventually(t, "the second server ends", func() bool { return len(servers(t, tmp)) == 0 })
}

// TestPrivateServerOfAnotherProcess is what the next test kills.
func TestPrivateServerOfAnotherProcess(t *testing.T) {
	switch os.Getenv(privateVariable) {
	case "":
		return
	case "bouncer":
		fmt.Println(pgtest.StartBouncer(t, pgtest.URL(t), nil).URL())
	case "small":
		fmt.Println(pgtest.Start(t, pgtest.Small(t, 128<<20)).URL())
	default:
		fmt.Println(pgtest.Start(t, pgtest.Options{}).URL())
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func TestNextRunReapsAPrivateServerWithoutItsSupervisor(t *testing.T) {
	t.Parallel()
	tmp := shortDir(t)
	first := spawn(t, tmp, nil, childVariable+"=", privateVariable+"=1")
	dirs, err := filepath.Glob(filepath.Join(tmp, "*", "private-*"))
	if err != nil || len(dirs) != 1 {
		t.Fatalf("private servers %v, %v", dirs, err)
	}
	pid := readPid(t, filepath.Join(dirs[0], "data", "postmaster.pid"))
	killSupervisor(t, dirs[0])
	if second := spawn(t, tmp, nil); gone(pid) {
		t.Fatal("a run ended the private server of another")
	} else {
		second.kill()
	}
	first.kill()
	if !answers(t, first.url) {
		t.Fatal("the server should have been left behind, or this test shows nothing")
	}
	spawn(t, tmp, nil).kill()
	if _, err := os.Stat(dirs[0]); !gone(pid) || err == nil {
		t.Fatalf("the orphan %d is gone: %v; its directory: %v", pid, gone(pid), err)
	}
}

// TestNextRunUnmountsWhatAKilledRunMounted looks at what the supervisor, who is not
// root, cannot take away.
func TestNextRunUnmountsWhatAKilledRunMounted(t *testing.T) {
	t.Parallel()
	pgtest.Small(t, 0)
	tmp := shortDir(t)
	spawn(t, tmp, nil, childVariable+"=", privateVariable+"=small").kill()
	mounted := func() bool {
		mounts, err := os.ReadFile("/proc/mounts")
		if err != nil {
			t.Fatal(err)
		}
		return strings.Contains(string(mounts), tmp)
	}
	if !mounted() {
		t.Fatal("nothing was mounted, so this test shows nothing")
	}
	eventually(t, "a later run takes it away", func() bool {
		spawn(t, tmp, nil).kill()
		return !mounted()
	})
}

// killSupervisor kills the shells that watch over the server in dir.
func killSupervisor(t *testing.T, dir string) {
	t.Helper()
	out, err := exec.Command("ps", "-eo", "pid=,args=").Output()
	if err != nil {
		t.Fatal(err)
	}
	killed := 0
	for line := range strings.Lines(string(out)) {
		pid, args, _ := strings.Cut(strings.TrimSpace(line), " ")
		if n, err := strconv.Atoi(pid); err == nil && strings.Contains(args, "/bin/sh -c") && strings.Contains(args, " supervise "+dir+" ") {
			killed++
			_ = syscall.Kill(n, syscall.SIGKILL)
		}
	}
	// cat, which waits for the pipe, is a child of theirs.
	out, _ = exec.Command("sh", "-c", `for f in /proc/[0-9]*/fd/4; do [ "$(readlink "$f")" = "$0" ] && echo "$f"; done`, filepath.Join(dir, "users")).Output()
	for line := range strings.Lines(string(out)) {
		if n, err := strconv.Atoi(strings.Split(line, "/")[2]); err == nil {
			_ = syscall.Kill(n, syscall.SIGKILL)
		}
	}
	if killed == 0 {
		t.Fatal("found no supervisor")
	}
}
