package storetest

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// recorder takes a case's failures instead of failing the test, so that a test
// can ask whether a broken store is caught.
type recorder struct {
	testing.TB // for what does not report: Context, TempDir, Cleanup

	mu     sync.Mutex
	failed bool
	said   strings.Builder
}

// record runs c with setup and returns what it said, and whether it failed.
func record(t testing.TB, c contractCase, setup Setup) (string, bool) {
	r := &recorder{TB: t}
	ended := make(chan struct{})
	go func() { // FailNow ends its goroutine
		defer close(ended)
		c.run(open(r, setup))
	}()
	<-ended
	return r.said.String(), r.failed
}

func (r *recorder) report(fails bool, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = r.failed || fails
	r.said.WriteString(text + "\n")
}

func (r *recorder) Helper()                           {}
func (r *recorder) Log(args ...any)                   { r.report(false, fmt.Sprintln(args...)) }
func (r *recorder) Logf(format string, args ...any)   { r.report(false, fmt.Sprintf(format, args...)) }
func (r *recorder) Error(args ...any)                 { r.report(true, fmt.Sprintln(args...)) }
func (r *recorder) Errorf(format string, args ...any) { r.report(true, fmt.Sprintf(format, args...)) }
func (r *recorder) Fail()                             { r.report(true, "Fail") }

func (r *recorder) FailNow() {
	r.report(true, "FailNow")
	runtime.Goexit()
}

func (r *recorder) Fatal(args ...any) {
	r.report(true, fmt.Sprintln(args...))
	runtime.Goexit()
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.report(true, fmt.Sprintf(format, args...))
	runtime.Goexit()
}

func (r *recorder) Failed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failed
}
