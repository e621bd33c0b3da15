package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/esgen/esgen/cmd/esgen/internal/scan"
	"github.com/esgen/esgen/templates"
)

// samplesVariable tells the generated test to write what is missing.
const samplesVariable = "ESGEN_SAMPLES"

// samples writes the test that decodes the stored samples, and has it write those of
// revisions that have none yet. The package's own code encodes them, so that types
// with methods of their own are as they will be stored.
func (c *checking) samples(ctx context.Context, p scan.Package) error {
	text, err := templates.SamplesTest(*p.Model)
	if err != nil {
		return err
	}
	path := filepath.Join(p.Dir, templates.SamplesName(p.Model.Name))
	old, err := os.ReadFile(path)
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("read %s: %w", c.relative(path), err)
	case err == nil && !bytes.HasPrefix(old, []byte(templates.SamplesHeader)):
		return fmt.Errorf("%s: esgen did not write this file, and will not replace it: rename it", c.relative(path))
	case !bytes.Equal(old, text):
		if err := write(path, text); err != nil {
			return fmt.Errorf("write %s, which is as it was: %w", c.relative(path), err)
		}
		c.say("wrote", path)
	}
	cmd := exec.CommandContext(ctx, "go", "test", "-count=1", "-run", "^TestStoredSamples$", ".")
	cmd.Dir, cmd.Env = p.Dir, append(os.Environ(), samplesVariable+"=write")
	if out, err := cmd.CombinedOutput(); err != nil {
		if bytes.Contains(out, []byte("missing go.sum entry")) || bytes.Contains(out, []byte("no required module provides")) {
			return fmt.Errorf("%s, which is written, imports what go.sum does not have yet: run go mod tidy, and this again\n%s", c.relative(path), bytes.TrimSpace(out))
		}
		return fmt.Errorf("go test -run TestStoredSamples in %s: %w\n%s", c.relative(p.Dir), err, bytes.TrimSpace(out))
	}
	return nil
}
