//go:build unix

package pgtest

import (
	"os/exec"
	"testing"
)

// Client returns the path of a program that comes with PostgreSQL's servers or
// clients, as pg_dump does. It skips tb if the machine has none that is as new as the
// server, which is version, "15.18": an older pg_dump refuses.
func Client(tb testing.TB, name, version string) string {
	tb.Helper()
	path := name
	if b, ok, err := installed(); err == nil && ok {
		if own, err := exec.LookPath(b.path(name)); err == nil {
			path = own
		}
	}
	out, err := exec.CommandContext(tb.Context(), path, "--version").Output()
	if err != nil {
		tb.Skipf("no %s on this machine: %v", name, err)
	}
	has := binaries{version: versionText.FindString(string(out))}
	if int(has.number()) < int(binaries{version: version}.number()) {
		tb.Skipf("%s is of version %s, the server of %s", name, has.version, version)
	}
	return path
}
