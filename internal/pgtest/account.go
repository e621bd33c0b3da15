//go:build unix

package pgtest

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// account is who runs servers. PostgreSQL refuses to run as root.
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

// attributes start a process of this account in a session of its own, so that an
// interrupt typed at the tests does not reach it before they have ended.
func (a account) attributes() *syscall.SysProcAttr {
	attributes := &syscall.SysProcAttr{Setsid: true}
	if os.Getuid() == 0 {
		attributes.Credential = &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}
	}
	return attributes
}

// own gives a file to the account. Without root it is so already.
func (a account) own(path string) error {
	if os.Getuid() != 0 {
		return nil
	}
	return os.Chown(path, a.uid, a.gid)
}

// directory makes a directory that only the account (and root) can enter. The
// parent may be open to everybody, as /tmp is, so whatever is there is checked.
func (a account) directory(path string) error {
	if err := os.Mkdir(path, 0o700); err == nil {
		return a.own(path)
	} else if !errors.Is(err, os.ErrExist) {
		return err
	}
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !info.IsDir() || info.Mode().Perm() != 0o700 || !ok || int(stat.Uid) != a.uid {
		// Another test process, as root, may be between making it and giving it away.
		if ok && int(stat.Uid) == os.Getuid() && info.IsDir() {
			return a.own(path)
		}
		return fmt.Errorf("%s is not a directory of user %d alone; remove it", path, a.uid)
	}
	return nil
}
