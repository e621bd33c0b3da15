package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/esgen/esgen/internal/pgtest"
)

// runBank runs the program on a database and returns its exit code and output.
func runBank(ctx context.Context, dsn, stdin string, args ...string) (code int, stdout, stderr string) {
	var out, notes bytes.Buffer
	s := shell{stdin: strings.NewReader(stdin), stdout: &out, stderr: &notes, getenv: func(string) string { return dsn }}
	code = s.run(ctx, args)
	return code, out.String(), notes.String()
}

func bankOK(t *testing.T, dsn string, args ...string) string {
	t.Helper()
	code, stdout, stderr := runBank(t.Context(), dsn, "", args...)
	if code != done {
		t.Fatalf("bank %s: exit %d, %s", strings.Join(args, " "), code, stderr)
	}
	return stdout
}

func TestBankOnPostgres(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t, pgtest.Options{})
	dsn := server.URL()
	_, _, stderr := runBank(t.Context(), dsn, "", "open", "a-1", "Ada")
	if !strings.Contains(stderr, "store: schema bank of database") || !strings.Contains(stderr, "tables made") {
		t.Errorf("the first call says %q", stderr)
	}
	if got := bankOK(t, dsn, "deposit", "a-1", "12.34"); got != "deposited 12.34; a-1 holds 12.34 EUR\n" {
		t.Errorf("deposit says %q", got)
	}
	if got := bankOK(t, dsn, "simulate", "-operations", "100"); !strings.HasSuffix(got, "Money is conserved to the cent.\n") {
		t.Errorf("simulate says %q", got)
	}
	server.Stop(pgtest.Fast)
	code, stdout, stderr := runBank(t.Context(), dsn, "", "deposit", "a-1", "12.34")
	if code != failed || stdout != "" || !strings.Contains(stderr, "Start the database and try again") {
		t.Errorf("without its database the bank says %q, %q and exits with %d", stdout, stderr, code)
	}
}

func TestAnInterruptedImportSaysHowToGoOn(t *testing.T) {
	t.Parallel()
	file, err := os.Open("../../ledger.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	ctx, cancel := context.WithCancel(t.Context())
	// The reader ends the program in the midst of the file.
	read := 0
	stdin := readerFunc(func(b []byte) (int, error) {
		if read++; read == 3 {
			cancel()
		}
		return file.Read(b)
	})
	var stdout, stderr bytes.Buffer
	s := shell{stdin: stdin, stdout: &stdout, stderr: &stderr, getenv: func(string) string { return "memory:" }}
	if code := s.run(ctx, []string{"import", "-"}); code != failed {
		t.Errorf("exit %d", code)
	}
	if want := "bank: interrupted: import -: context canceled\nWhat was imported stays as it is. Import the file again to go on\n"; !strings.HasSuffix(stderr.String(), want) {
		t.Errorf("errors %q, want %q", stderr.String(), want)
	}
	if !strings.Contains(stdout.String(), "  accepted ") {
		t.Errorf("output %q", stdout.String())
	}
}

func TestResultsThatCannotBeWrittenAreAFailure(t *testing.T) {
	t.Parallel()
	dsn := "sqlite:" + t.TempDir() + "/bank.db"
	var stderr bytes.Buffer
	s := shell{
		stdout: writerFunc(func([]byte) (int, error) { return 0, errFull }),
		stderr: &stderr, getenv: func(string) string { return dsn },
	}
	if code := s.run(t.Context(), []string{"balances"}); code != failed || !strings.Contains(stderr.String(), errFull.Error()) {
		t.Errorf("exit %d, %q", code, stderr.String())
	}
}

var errFull = errors.New("no space left on device")

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

func TestTextsDoNotSteerTheTerminal(t *testing.T) {
	t.Parallel()
	dsn := "sqlite:" + filepath.Join(t.TempDir(), "bank.db")
	said := bankOK(t, dsn, "open", "a-1", "Ada\x1b[2J\nLove\u202elace") +
		bankOK(t, dsn, "deposit", "a-1", "5", "-text", "tips\r\u009b31m") +
		bankOK(t, dsn, "balances") + bankOK(t, dsn, "statement", "a-1")
	steers := func(r rune) bool { return r != '\n' && (unicode.IsControl(r) || r == '\u202e') }
	if strings.ContainsFunc(said, steers) || strings.Count(said, "\n") != 2+3+3 {
		t.Errorf("the bank says %q", said)
	}
}
