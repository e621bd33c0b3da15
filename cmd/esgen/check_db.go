package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/esgen/esgen/cmd/esgen/internal/scan"
)

//go:embed audit.go.tmpl
var auditSource string

// databaseVariable takes the DSN to the program, for everybody sees arguments.
const databaseVariable = "ESGEN_AUDIT_DATABASE"

const schemaVariable = "ESGEN_AUDIT_SCHEMA"

func isPostgres(dsn string) bool {
	return strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://")
}

// stored holds a package against the events that are stored in a database: a program
// that is made for it and built where it may import the package, in an overlay, so
// that nothing is written into the module.
func (c *checking) stored(ctx context.Context, p scan.Package) (err error) {
	data := struct {
		Import, Store string
		Types         []string
		Families      []string
		// Formats is the variable of the file that is added to the package, for its own
		// serializers need not be exported.
		Formats string
	}{}
	switch {
	case isPostgres(c.db):
		data.Store = "postgres"
	case strings.HasPrefix(c.db, "sqlite:"):
		data.Store = "sqlite"
		// Opening would create it.
		if _, err := os.Stat(strings.TrimPrefix(c.db, "sqlite:")); err != nil {
			return fmt.Errorf("-db %s: %w", c.db, err)
		}
	default:
		return errors.New("-db: write postgres://… or sqlite:FILE, as esctl takes it")
	}
	list := exec.CommandContext(ctx, "go", "list", "-f", "{{.ImportPath}} {{.Name}}", ".")
	list.Dir = p.Dir
	out, err := list.Output()
	if err != nil {
		return fmt.Errorf("go list in %s: %w", c.relative(p.Dir), err)
	}
	path, name, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	if name == "main" {
		return fmt.Errorf("%s is a program, which cannot be imported: move its events into a package", path)
	}
	data.Import = path
	for _, f := range p.Model.Families {
		data.Types, data.Families = append(data.Types, f.Prefix+"Types"), append(data.Families, f.Name)
	}
	if p.Model.Serializers != "" {
		data.Formats = "EsgenAuditFormats"
	}
	var source bytes.Buffer
	if err := template.Must(template.New("audit").Parse(auditSource)).Execute(&source, data); err != nil {
		return err
	}
	temporary, err := os.MkdirTemp("", "esgen-audit-")
	if err != nil {
		return err
	}
	defer func() {
		if removed := os.RemoveAll(temporary); err == nil {
			err = removed
		}
	}()
	real, virtual := filepath.Join(temporary, "main.go"), filepath.Join(p.Dir, "esgenaudit", "main.go")
	replace := map[string]string{virtual: real}
	if data.Formats != "" {
		added := filepath.Join(temporary, "formats.go")
		text := fmt.Sprintf("package %s\n\n// %s are this package's own.\nvar %s = %s\n", name, data.Formats, data.Formats, p.Model.Serializers)
		if err := os.WriteFile(added, []byte(text), 0o600); err != nil {
			return err
		}
		replace[filepath.Join(p.Dir, "esgenauditformats.go")] = added
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": replace})
	if err != nil {
		return err
	}
	file := filepath.Join(temporary, "overlay.json")
	if err := os.WriteFile(real, source.Bytes(), 0o600); err != nil {
		return err
	}
	if err := os.WriteFile(file, overlay, 0o600); err != nil {
		return err
	}
	binary := filepath.Join(temporary, "audit")
	build := exec.CommandContext(ctx, "go", "build", "-overlay", file, "-o", binary, path+"/esgenaudit")
	build.Dir = p.Dir
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build the audit of %s: %w\n%s", path, err, bytes.TrimSpace(out))
	}
	run := exec.CommandContext(ctx, binary)
	run.Dir, run.Stdout, run.Stderr = c.here, c.stdout, c.stderr
	run.Env = append(os.Environ(), databaseVariable+"="+c.db, schemaVariable+"="+c.schema)
	err = run.Run()
	if code := run.ProcessState.ExitCode(); err != nil && code == exitProblems {
		c.code = max(c.code, exitProblems)
		return nil
	}
	if err != nil {
		return fmt.Errorf("audit %s: %w", path, err)
	}
	return nil
}
