//go:build unix

package server

import (
	"errors"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// account is who runs the server. PostgreSQL refuses to run as root.
type account struct{ uid, gid int }

func serverAccount() (account, error) {
	if uid := os.Getuid(); uid != 0 {
		return account{uid, os.Getgid()}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.Atoi(u.Uid)
		gid, err2 := strconv.Atoi(u.Gid)
		if errors.Join(err1, err2) == nil && uid != 0 {
			return account{uid, gid}, nil
		}
	}
	return account{}, errors.New("a server cannot run as root, and there is neither a user postgres nor nobody")
}

// own gives a file to the account. Without root it is so already.
func (a account) own(path string) error {
	if os.Getuid() != 0 {
		return nil
	}
	return os.Chown(path, a.uid, a.gid)
}

// attributes start a process of this account, out of reach of an interrupt typed
// at this program.
func (a account) attributes() *syscall.SysProcAttr {
	attributes := &syscall.SysProcAttr{Setsid: true}
	endWithParent(attributes)
	if os.Getuid() == 0 {
		attributes.Credential = &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}
	}
	return attributes
}
