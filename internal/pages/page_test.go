package pages_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/esgen/esgen/internal/pages"
)

const page = "# A\n\n```go\na()\n```\n\n## B\n\n```go\nif b {\n\tc()\n}\n```\n\n```sql\nSELECT 1;\n```\n\n## C\n\n```text\nc\n```\n"

// recorder notes what a page says of a test. Fatalf ends it by a panic.
type recorder struct {
	testing.TB
	said []string
}

func (*recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) {
	r.said = append(r.said, fmt.Sprintf(format, args...))
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	panic(r)
}

func TestPagesFindTheirBlocks(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for name, text := range map[string]string{"go.mod": "module x\n", "page.md": page, "same.go": "\t\tif b {\n\t\t\tc()\n\t\t}\n", "other.go": "if b {\n}\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p := pages.Open(t, "page.md")
	if all := p.All(); len(all) != 4 || all[2] != (pages.Block{Language: "sql", Text: "SELECT 1;\n"}) {
		t.Errorf("%+v", all)
	}
	if got := p.Section("B").Blocks("sql"); len(got) != 1 {
		t.Errorf("section B has %q", got)
	}
	if got := p.After("B").All(); len(got) != 3 {
		t.Errorf("after B there are %+v", got)
	}
	p.Section("B").Compiled("same.go")

	for want, bad := range map[string]func(pages.Page){
		"none of other.go holds": func(p pages.Page) { p.Section("B").Compiled("other.go") },
		"no section \"D\"":       func(p pages.Page) { p.Section("D") },
		"no section \"E\"":       func(p pages.Page) { p.After("E") },
		"C shows no go":          func(p pages.Page) { p.Section("C").Compiled("same.go") },
	} {
		r := &recorder{TB: t}
		func() {
			defer func() { _ = recover() }()
			bad(pages.Open(r, "page.md"))
		}()
		if len(r.said) != 1 || !strings.Contains(r.said[0], want) {
			t.Errorf("said %q, want %q", r.said, want)
		}
	}
}
