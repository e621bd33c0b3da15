package estest

import (
	"reflect"
	"testing"
)

// Current fails the test unless the fields of the struct Is have the names, types
// and tags that those of the struct Was have. Generated tests call it with what
// their package looked like when esgen read it.
func Current[Was, Is any](tb testing.TB) {
	tb.Helper()
	was, is := reflect.TypeFor[Was](), reflect.TypeFor[Is]()
	const remedy = "run go generate, and esgen check to see whether what is stored can still be read"
	if was.Kind() != reflect.Struct || is.Kind() != reflect.Struct {
		tb.Errorf("%s is a %s, and was a %s when esgen read it: %s", is, is.Kind(), was.Kind(), remedy)
		return
	}
	if was.NumField() != is.NumField() {
		tb.Errorf("%s has %d fields, and had %d when esgen read it: %s", is, is.NumField(), was.NumField(), remedy)
		return
	}
	for i := range is.NumField() {
		before, now := was.Field(i), is.Field(i)
		switch {
		case before.Name != now.Name:
			tb.Errorf("field %d of %s is called %s, and was called %s when esgen read it: %s", i+1, is, now.Name, before.Name, remedy)
		case before.Type != now.Type:
			tb.Errorf("field %s of %s has type %s, and had %s when esgen read it: %s", now.Name, is, now.Type, before.Type, remedy)
		case before.Tag != now.Tag:
			tb.Errorf("field %s of %s is tagged %q, and was %q when esgen read it: %s", now.Name, is, now.Tag, before.Tag, remedy)
		}
	}
}
