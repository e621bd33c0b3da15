//go:build !unix

package main

import "os"

// held is not known on this system.
func held(*os.ProcessState) int64 { return 0 }
