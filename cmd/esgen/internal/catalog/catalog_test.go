package catalog_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/esgen/esgen/cmd/esgen/internal/catalog"
	"github.com/esgen/esgen/cmd/esgen/internal/scan"
	zoo "github.com/esgen/esgen/cmd/esgen/internal/scan/testdata/shapes"
	"github.com/esgen/esgen/example/bank"
	"github.com/esgen/esgen/templates"
)

// load scans a package of this repository.
func load(t *testing.T, path string) catalog.Package {
	t.Helper()
	dir, err := filepath.Abs(filepath.FromSlash("../../../../" + path))
	if err != nil {
		t.Fatal(err)
	}
	found, err := scan.Packages(t.Context(), []string{dir})
	if err != nil || found[0].Model == nil {
		t.Fatalf("%v, %v", err, found)
	}
	return catalog.Package{Path: "example.com/" + path, Model: found[0].Model}
}

// files are the catalogue of packages, by name.
func files(t *testing.T, uses []templates.Use, packages ...catalog.Package) map[string]string {
	t.Helper()
	list, err := catalog.Files("example.com", packages, uses, nil)
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]string{}
	for _, f := range list {
		named[f.Name] = string(f.Text)
	}
	return named
}

func compile(t *testing.T, text string) *jsonschema.Schema {
	t.Helper()
	parsed, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	compiler := jsonschema.NewCompiler() // which holds it against the meta-schema
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.AssertFormat()
	if err := compiler.AddResource("schema.json", parsed); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("schema.json")
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return schema
}

func validate(schema *jsonschema.Schema, text []byte) error {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return err
	}
	return schema.Validate(value)
}

const bankPath, zooPath = "example/bank", "cmd/esgen/internal/scan/testdata/shapes"

// What a program writes is valid by the schema, and so is the example, which the
// program reads and writes again as the same.
func TestSchemasDescribeWhatIsStored(t *testing.T) {
	t.Parallel()
	zooPackage, bankPackage := load(t, zooPath), load(t, bankPath)
	named := files(t, nil, zooPackage, bankPackage)
	values := []any{bank.AccountOpened{Owner: "ada", Currency: bank.EUR}, bank.TransferSent{}, bank.AccountClosed{}, zoo.Opened{}, zoo.Closed{}}
	checked := 0
	for _, p := range []catalog.Package{zooPackage, bankPackage} {
		for _, e := range p.Model.Families[0].Events {
			schema := compile(t, named[fmt.Sprintf("schema/%s.%d.json", e.Name, e.Revision)])
			example := catalog.Example(e.Shape)
			if err := validate(schema, example); err != nil {
				t.Errorf("the example of %s: %v\n%s", e.GoName, err, example)
			}
			for _, v := range values {
				if reflect.TypeOf(v).Name() != e.GoName {
					continue
				}
				checked++
				read := reflect.New(reflect.TypeOf(v))
				if e.GoName != "Opened" { // whose union needs the generated code
					if err := json.Unmarshal(example, read.Interface()); err != nil {
						t.Errorf("read the example of %s: %v", e.GoName, err)
					}
				}
				for _, value := range []any{v, read.Elem().Interface()} {
					text, err := json.Marshal(value)
					if err != nil {
						t.Fatal(err)
					}
					if err := validate(schema, text); err != nil {
						t.Errorf("%s: %v\n%s", e.GoName, err, text)
					}
				}
			}
		}
	}
	if checked != len(values) {
		t.Errorf("%d of %d values were held against a schema", checked, len(values))
	}
}

// What would be read as something else is not valid.
func TestSchemasRefuse(t *testing.T) {
	t.Parallel()
	named := files(t, nil, load(t, bankPath))
	for text, name := range map[string]string{
		`{"amount": "50"}`:                   "bank.money_deposited",
		`{"amount": 9223372036854775808}`:    "bank.money_deposited",
		`{"amount": 1.5}`:                    "bank.money_deposited",
		`{}`:                                 "bank.money_deposited",
		`{"owner": null, "currency": "EUR"}`: "bank.account_opened",
		`{"transfer": "t-1", "to": "b", "amount": []}`: "bank.transfer_sent",
		`[]`: "bank.account_closed",
	} {
		if err := validate(compile(t, named["schema/"+name+".1.json"]), []byte(text)); err == nil {
			t.Errorf("%s may be %s", name, text)
		}
	}
	if err := validate(compile(t, named["schema/bank.money_deposited.1.json"]), []byte(`{"amount": 9223372036854775807, "later": 1}`)); err != nil {
		t.Errorf("a later field is refused: %v", err)
	}
}

// The page asks the network for nothing, and every link on it leads somewhere.
func TestPageIsWhole(t *testing.T) {
	t.Parallel()
	page := files(t, nil, load(t, bankPath))["index.html"]
	for _, foreign := range []string{`="http`, "src=", "@import", "<link"} {
		if strings.Contains(page, foreign) {
			t.Errorf("the page holds %q", foreign)
		}
	}
	links := 0
	for _, rest := range strings.Split(page, `href="#`)[1:] {
		target, _, _ := strings.Cut(rest, `"`)
		links++
		if !strings.Contains(page, `id="`+target+`"`) {
			t.Errorf("nothing has the id %q", target)
		}
	}
	if links < 7 {
		t.Errorf("%d links", links)
	}
}

// Text of the author's is text: in HTML, in Markdown tables and in the diagrams.
func TestTextIsEscaped(t *testing.T) {
	t.Parallel()
	text := &templates.Shape{Kind: templates.StringShape, Len: -1}
	p := catalog.Package{Path: "example.com/m", Model: &templates.Package{Name: "m", Families: []templates.Family{{
		Name: "m", ID: templates.ID{Type: templates.Type{Name: "string"}},
		Events: []templates.Event{{
			GoName: "Opened", Name: "m/opened:<1>", Revision: 1, Doc: "Opened <script>alert(1)</script> | *a*",
			Shape: &templates.Shape{Kind: templates.ObjectShape, Properties: []templates.Property{
				{Name: "a|b", Doc: "x | <b>", Shape: text, Path: []string{"A"}, Through: []bool{false}},
			}},
		}},
	}}}}
	uses := []templates.Use{{Kind: templates.Subscribes, Path: p.Path, Family: "m", Name: `"<i>|`, Handler: "h"}}
	named := files(t, uses, p)
	for _, bad := range []string{"<script>alert", "<b>", "<i>"} {
		for name, text := range named {
			if strings.HasSuffix(name, ".json") {
				continue
			}
			if strings.Contains(strings.ReplaceAll(text, `\<`, ""), bad) {
				t.Errorf("%s holds %s", name, bad)
			}
		}
	}
	if md := named["m.md"]; !strings.Contains(md, "| `a\\|b` | text | always | x \\| &lt;b> |") {
		t.Errorf("the table is\n%s", md)
	}
	if _, ok := named["schema/m%2Fopened:%3C1%3E.1.json"]; !ok {
		t.Errorf("no schema of that name")
	}
	if !strings.Contains(named["m.md"], "(schema/m%252Fopened:%253C1%253E.1.json)") {
		t.Errorf("the link to the schema is in\n%s", named["m.md"])
	}
}

func TestFamiliesOfOneNameAreRefused(t *testing.T) {
	t.Parallel()
	p := load(t, bankPath)
	if _, err := catalog.Files("x", []catalog.Package{p, {Path: "example.com/other", Model: p.Model}}, nil, nil); err == nil ||
		!strings.Contains(err.Error(), "family bank is declared in example.com/example/bank and in example.com/other") {
		t.Error(err)
	}
}
