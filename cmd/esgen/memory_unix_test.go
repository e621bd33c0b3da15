//go:build unix

package main

import (
	"os"
	"runtime"
	"syscall"
)

// held is the most that a process has held, in bytes.
func held(p *os.ProcessState) int64 {
	usage, ok := p.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	if runtime.GOOS == "darwin" {
		return usage.Maxrss
	}
	return usage.Maxrss * 1024
}
