//go:build !linux

package history

import "time"

// clock is the time of day: the one clock that processes share everywhere. If it
// is set back during a run, the run may fail for nothing.
func clock() int64 { return time.Now().UnixNano() }
