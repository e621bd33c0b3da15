//go:build unix && !linux

package server

import "syscall"

// endWithParent can do nothing on this system: if this program is killed, the
// server lives on.
func endWithParent(*syscall.SysProcAttr) {}
