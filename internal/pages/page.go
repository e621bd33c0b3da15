// Package pages lets tests run and compile what the README and the pages of docs/
// show, so that no page says what is not so.
package pages

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Page is the text of a page, or of a section of one.
type Page struct {
	tb   testing.TB
	name string
	text string
}

// Open reads a file of the repository by its path from the root: "docs/backup.md".
func Open(tb testing.TB, name string) Page {
	tb.Helper()
	text, err := os.ReadFile(filepath.Join(root(tb), filepath.FromSlash(name)))
	if err != nil {
		tb.Fatal(err)
	}
	return Page{tb: tb, name: name, text: string(text)}
}

// root is the nearest directory above that holds a go.mod.
func root(tb testing.TB) string {
	tb.Helper()
	dir, err := os.Getwd()
	for ; err == nil; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	tb.Fatalf("no go.mod above the test, %v", err)
	return ""
}

// Text is the whole of it.
func (p Page) Text() string { return p.text }

// Section is what stands under a heading of the second level, or fails the test.
func (p Page) Section(heading string) Page {
	p.tb.Helper()
	_, text, found := strings.Cut(p.text, "\n## "+heading+"\n")
	if !found {
		p.tb.Fatalf("%s has no section %q", p.name, heading)
	}
	p.text, _, _ = strings.Cut(text, "\n## ")
	p.name += ", " + heading
	return p
}

// After is what follows the heading of the second level, to the end.
func (p Page) After(heading string) Page {
	p.tb.Helper()
	_, text, found := strings.Cut(p.text, "\n## "+heading+"\n")
	if !found {
		p.tb.Fatalf("%s has no section %q", p.name, heading)
	}
	p.text = text
	return p
}

// Block is a fenced block.
type Block struct{ Language, Text string }

var fenced = regexp.MustCompile("(?ms)^```(\\w+)\n(.*?)^```$")

// All returns the fenced blocks in their order.
func (p Page) All() (blocks []Block) {
	for _, found := range fenced.FindAllStringSubmatch(p.text, -1) {
		blocks = append(blocks, Block{Language: found[1], Text: found[2]})
	}
	return blocks
}

// Blocks returns the blocks in a language. A page without one fails the test, which
// would show nothing.
func (p Page) Blocks(language string) (texts []string) {
	p.tb.Helper()
	for _, b := range p.All() {
		if b.Language == language {
			texts = append(texts, b.Text)
		}
	}
	if len(texts) == 0 {
		p.tb.Fatalf("%s shows no %s", p.name, language)
	}
	return texts
}

// Compiled holds that every Go block stands in one of the files, which are compiled
// and tested, whatever its indentation there.
func (p Page) Compiled(files ...string) {
	p.tb.Helper()
	var compiled strings.Builder
	for _, name := range files {
		compiled.WriteString(flat(Open(p.tb, name).text))
	}
	for _, block := range p.Blocks("go") {
		if !strings.Contains(compiled.String(), flat(block)) {
			p.tb.Errorf("%s: none of %s holds\n%s", p.name, strings.Join(files, ", "), block)
		}
	}
}

var indentation = regexp.MustCompile(`(?m)^\t+`)

func flat(text string) string { return indentation.ReplaceAllString(text, "") }
