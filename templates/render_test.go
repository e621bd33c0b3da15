package templates_test

import (
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/esgen/esgen/templates"
)

var update = flag.Bool("update", false, "rewrite the expected files in testdata")

func named(name string) templates.Type { return templates.Type{Name: name} }

func in(path, pkg, name string) templates.Type {
	return templates.Type{Path: path, Package: pkg, Name: name}
}

func of(kind templates.Kind, elem templates.Type) templates.Type {
	return templates.Type{Kind: kind, Elem: &elem}
}

// models are the cases; the first words of the file in testdata say what each
// is about.
func models() map[string]templates.Package {
	opened := templates.Event{
		GoName: "AccountOpened", Name: "bank.account_opened", Revision: 1,
		Doc: "AccountOpened starts an account. It is always the first event.\n",
		Fields: []templates.Field{
			{Name: "Owner", Type: named("string"), Tag: `json:"owner"`},
			{Name: "Currency", Type: named("string"), Tag: `json:"currency"`},
		},
	}
	deposited := templates.Event{
		GoName: "MoneyDeposited", Name: "bank.money_deposited", Revision: 2,
		Doc:    "MoneyDeposited records a credit.\n",
		Fields: []templates.Field{{Name: "Amount", Type: named("int64")}, {Name: "By", Type: named("string")}},
	}
	bank := templates.Package{
		Name: "bank", Sources: []string{"account.go"},
		Families: []templates.Family{{
			Name: "bank", ID: templates.ID{Type: named("string")},
			Events: []templates.Event{opened, deposited}, State: &templates.State{GoName: "Account"},
		}},
	}
	uuid := in("github.com/google/uuid", "uuid", "UUID")
	text := named("string")
	types := templates.Package{
		Name: "zoo", Sources: []string{"a.go", "b.go"}, Serializers: "formats",
		Taken: []string{"context", "store", "store2"},
		Families: []templates.Family{{
			Name: "big_zoo", ID: templates.ID{Type: uuid, Text: templates.OwnText},
			Events: []templates.Event{{
				GoName: "Filled", Name: "zoo.filled", Revision: 1,
				Fields: []templates.Field{
					{Name: "Base", Embedded: true, Type: named("Base")},
					{Name: "Extra", Embedded: true, Type: of(templates.Pointer, named("Extra"))},
					{Name: "Amount", Type: in("example.com/gold", "money", "Amount")},
					{Name: "Cents", Type: in("example.com/money", "money", "Cents")},
					{Name: "V", Type: in("example.com/unit/v2", "unit", "V")},
					{Name: "Bytes", Type: of(templates.Slice, named("byte"))},
					{Name: "Grid", Type: templates.Type{Kind: templates.Array, Len: 2, Elem: &uuid}},
					{Name: "ByName", Type: templates.Type{Kind: templates.Map, Key: &text, Elem: &uuid}},
					{Name: "Unnamed", Type: templates.Type{Kind: templates.Struct, Fields: []templates.Field{
						{Name: "A", Type: named("int")},
					}}},
					{Name: "Set", Type: templates.Type{
						Kind: templates.Map, Key: &text, Elem: &templates.Type{Kind: templates.Struct},
					}},
				},
			}},
		}},
	}
	var many []templates.Event
	for r := 'A'; r <= 'M'; r++ {
		many = append(many, templates.Event{GoName: string(r), Name: "many." + string(r), Revision: 1})
	}
	return map[string]templates.Package{
		"bank":  bank,
		"types": types,
		"many": {
			Name: "many", Sources: []string{"many.go"},
			Families: []templates.Family{{
				Name: "many", Events: many, ID: templates.ID{Type: named("Number"), Text: templates.IntText},
			}},
		},
	}
}

func TestRender(t *testing.T) {
	t.Parallel()
	for _, name := range slices.Sorted(maps.Keys(models())) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := templates.Render(models()[name])
			if err != nil {
				t.Fatal(err)
			}
			again, err := templates.Render(models()[name])
			if err != nil || string(again) != string(got) {
				t.Errorf("a second rendering differs: %v", err)
			}
			file := filepath.Join("testdata", name+".txtar")
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if *update {
				archive.Files = []txtar.File{{Name: "want.go", Data: got}}
				if err := os.WriteFile(file, txtar.Format(archive), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if d := cmp.Diff(string(archive.Files[0].Data), string(got)); d != "" {
				t.Errorf("-want +got; go test -update accepts it\n%s", d)
			}
		})
	}
}

// What Declared lists is what Render declares: clashes are found by that list.
func TestDeclared(t *testing.T) {
	t.Parallel()
	for name, model := range models() {
		text, err := templates.Render(model)
		if err != nil {
			t.Fatal(err)
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, decl := range file.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil {
					got = append(got, d.Name.Name)
				} else if d.Name.Name == templates.Seal(model.Families[0]) {
					got = append(got, "seal of "+d.Recv.List[0].Type.(*ast.Ident).Name)
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					switch s := spec.(type) {
					case *ast.TypeSpec:
						got = append(got, s.Name.Name)
					case *ast.ValueSpec:
						got = append(got, s.Names[0].Name)
					}
				}
			}
		}
		got = slices.DeleteFunc(got, func(s string) bool { return s == "_" })
		want := templates.Declared(model)
		for _, e := range model.Families[0].Events {
			want = append(want, "seal of "+e.GoName)
		}
		slices.Sort(got)
		slices.Sort(want)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: -listed +declared\n%s", name, d)
		}
	}
}

func TestRenderRefuses(t *testing.T) {
	t.Parallel()
	good := models()["bank"]
	none, empty, wrong := good, good, good
	none.Families = nil
	empty.Families = []templates.Family{{Name: "bank", ID: good.Families[0].ID}}
	wrong.Name = "not a name"
	for want, model := range map[string]templates.Package{
		"it has no families":        none,
		"family bank has no events": empty,
		"render package not":        wrong,
	} {
		if text, err := templates.Render(model); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %d bytes and %v, want an error with %q", len(text), err, want)
		}
	}
}

func TestFileName(t *testing.T) {
	t.Parallel()
	for pkg, want := range map[string]string{"bank": "bank.es.go", "my_linux": "mylinux.es.go", "a_b_c": "abc.es.go"} {
		if got := templates.FileName(pkg); got != want {
			t.Errorf("package %s: %s, want %s", pkg, got, want)
		}
	}
}
