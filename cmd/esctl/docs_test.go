package main

import (
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/esgen/esgen/internal/pages"
	"github.com/esgen/esgen/runtime/store"
)

// TestThePageForOperatorsWorks types what docs/operations.md says, in its order, on a
// database of the test's.
func TestThePageForOperatorsWorks(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	dsn := freshDatabase(t)
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	_, err = exec.LookPath("psql")
	noClient := err != nil
	var lines []string
	for _, block := range regexp.MustCompile("(?ms)^```sh\n(.*?)^```$").FindAllStringSubmatch(string(page), -1) {
		for line := range strings.Lines(block[1]) {
			switch {
			case strings.HasPrefix(line, "go install "), strings.HasPrefix(line, "export ESGEN_DSN="):
				continue
			case strings.HasPrefix(line, "psql ") && noClient:
				line = "esctl migrate\n"
			}
			lines = append(lines, strings.ReplaceAll(line, "-database bank", "-database "+strings.TrimPrefix(u.Path, "/")))
		}
	}
	if len(lines) < 20 {
		t.Fatalf("the page has %d commands", len(lines))
	}
	shell := exec.CommandContext(t.Context(), "bash", "-e", "-u", "-o", "pipefail", "-c", strings.Join(lines, ""))
	shell.Dir, shell.Env = t.TempDir(), append(os.Environ(), dsnVariable+"="+dsn)
	out, err := shell.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{
		"2 lines: 2 events appended, 0 appended before", "2 lines: 0 events appended, 2 appended before", "1 line: 1 event appended",
		"3 lines: 3 events appended", "metadata.tenant built", "3 events to position 3 in 1 stream, 0 links: sound", "tenant_b  dropped",
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("it does not print %q:\n%s", want, out)
		}
	}
}

// TestThePageOfSubscriptionsWorks types what docs/subscriptions.md says.
func TestThePageOfSubscriptionsWorks(t *testing.T) {
	t.Parallel()
	dsn := "sqlite:" + filepath.Join(t.TempDir(), "events.db")
	s := shell{stdout: io.Discard, stderr: io.Discard, settings: settings{verb: "page", dsn: dsn}}
	err := s.openOne(t.Context(), func(target target) error {
		if err := target.Migrate(t.Context()); err != nil {
			return err
		}
		_, err := target.Append(t.Context(), store.Batch{Stream: "bank-1", Events: []store.Event{{Type: "opened", Format: store.JSON, Data: []byte("{}")}}})
		if err != nil {
			return err
		}
		return plays(t.Context(), target, "deposits", `categories "bank"; 1 lane by stream`, []string{"1", "1", "bank-1"})
	})
	if err != nil {
		t.Fatal(err)
	}
	commands := strings.Join(pages.Open(t, "docs/subscriptions.md").Blocks("sh"), "")
	bash := exec.CommandContext(t.Context(), "bash", "-e", "-u", "-o", "pipefail", "-c", commands)
	bash.Dir, bash.Env = t.TempDir(), append(os.Environ(), dsnVariable+"="+dsn)
	out, err := bash.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"shop 7 on host-1", "deposits  paused", "deposits  resumed", "moved from 1 to 1", "reset from 1 to 0", "renamed to paid", "paid  deleted"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("it does not print %q:\n%s", want, out)
		}
	}
}
