//go:build unix

package pgtest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const imageVariable = "ESGEN_TEST_POSTGRES_IMAGE"

// dockerAnswers reports why Docker cannot be used, or nil.
func dockerAnswers() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return exec.CommandContext(ctx, "docker", "version", "--format", "{{.Server.Version}}").Run()
}

// startContainer runs the image of ESGEN_TEST_POSTGRES_IMAGE, by default
// postgres:17-alpine, on a free port of the loopback interface. The supervisor's
// signal reaches the server through the client, and the container goes with it.
func startContainer(d *directory, users *os.File) (string, error) {
	name := "esgen-pgtest-" + filepath.Base(d.path)
	if err := os.WriteFile(d.file("container"), []byte(name), 0o600); err != nil {
		return "", err
	}
	// The client runs as who the tests are: Docker's socket is open to them.
	d.owner = account{os.Getuid(), os.Getgid()}
	command := []string{
		"docker", "run", "--rm", "--name", name, "--publish", "127.0.0.1::5432",
		"--env", "POSTGRES_HOST_AUTH_METHOD=trust", cmp.Or(os.Getenv(imageVariable), "postgres:17-alpine"),
	}
	settings := quick()
	for _, key := range sortedKeys(settings) {
		command = append(command, "-c", key+"="+settings[key])
	}
	cmd, err := d.start(users, linger, command)
	if err != nil {
		return "", err
	}
	defer func() { _ = cmd.Process.Release() }()
	return d.await(func() (string, error) {
		out, err := exec.CommandContext(context.Background(), "docker", "port", name, "5432/tcp").Output()
		if err != nil {
			return "", fmt.Errorf("docker port %s: %w", name, err)
		}
		address, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
		_, port, err := net.SplitHostPort(address)
		if err != nil || port == "" {
			return "", errors.Join(fmt.Errorf("docker port %s says %q", name, out), err)
		}
		return "postgres://postgres@127.0.0.1:" + port + "/postgres?sslmode=disable", nil
	})
}
