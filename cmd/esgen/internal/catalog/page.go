package catalog

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"strings"
)

//go:embed page.html
var pageText string

// page is the catalogue as one page that loads nothing.
func (c catalog) page() ([]byte, error) {
	parsed, err := template.New("page").Funcs(template.FuncMap{
		"broken":  broken,
		"comment": html,
		"type":    typeText,
		"marker":  func() template.HTML { return template.HTML(mark) }, //nolint:gosec // a constant
	}).Parse(pageText)
	if err != nil {
		return nil, fmt.Errorf("read the page's template: %w", err)
	}
	var out bytes.Buffer
	if err := parsed.Execute(&out, c); err != nil {
		return nil, fmt.Errorf("write the page: %w", err)
	}
	return out.Bytes(), nil
}

// broken lets a path be broken after its slashes.
func broken(path string) template.HTML {
	return template.HTML(strings.ReplaceAll(template.HTMLEscapeString(path), "/", "/<wbr>")) //nolint:gosec // escaped
}
