package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/esgen/esgen/cmd/esgen/internal/lock"
)

// git runs git in a directory and returns what it prints.
func git(ctx context.Context, dir string, args ...string) ([]byte, error) {
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir, cmd.Stderr = dir, &stderr
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("git %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(stderr.String()))
	}
	return out, err
}

// commit is the one that -against names.
func commit(ctx context.Context, dir, against string) (string, error) {
	ref := strings.TrimPrefix(against, "git:")
	if strings.HasPrefix(ref, "-") {
		return "", fmt.Errorf("%s is no commit", ref)
	}
	if _, err := git(ctx, dir, "rev-parse", "--verify", "--quiet", ref+"^{commit}"); err != nil {
		return "", fmt.Errorf("%s is no commit here (a shallow clone may lack it): %w", ref, err)
	}
	return ref, nil
}

// show reads the lock that a directory, which need not be there any more, had in a
// commit. A commit that has none is [fs.ErrNotExist].
func show(ctx context.Context, dir, against string) ([]byte, error) {
	at, rest := existing(dir)
	ref, err := commit(ctx, at, against)
	if err != nil {
		return nil, err
	}
	path := "./" + filepath.ToSlash(filepath.Join(rest, lock.Name))
	listed, err := git(ctx, at, "ls-tree", "--name-only", ref, path)
	if err != nil {
		return nil, err
	}
	if len(bytes.TrimSpace(listed)) == 0 {
		return nil, fs.ErrNotExist
	}
	return git(ctx, at, "show", ref+":"+path)
}
