//go:build !unix

package pgtest

import "errors"

// join has no way to bind a server's life to its users' on this system.
func join() (string, error) {
	return "", errors.New("this system cannot start test servers by itself")
}
