package lock

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Parse reads the file. It refuses one of a newer format, and says where it was left
// with the marks of a merge.
func Parse(data []byte) (File, error) {
	for i, line := range strings.Split(string(data), "\n") {
		for _, mark := range []string{"<<<<<<<", "|||||||", "=======", ">>>>>>>"} {
			if strings.HasPrefix(line, mark) {
				return File{}, fmt.Errorf("line %d begins with %s: resolve the merge; keep the events of both sides, or take one and run esgen check -update", i+1, mark)
			}
		}
	}
	var head struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return File{}, located(data, err)
	}
	switch {
	case head.Format > Format:
		return File{}, fmt.Errorf("the format is %d, this program knows %d: update the tool in go.mod", head.Format, Format)
	case head.Format < 1:
		return File{}, errors.New("there is no format in it: take it from the repository's history")
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	var f File
	if err := decoder.Decode(&f); err != nil {
		return File{}, located(data, err)
	}
	if decoder.More() {
		return File{}, errors.New("something stands behind its end")
	}
	f.sort()
	return f, f.whole()
}

// whole looks for types that were cut by hand or by a merge, and for definitions that
// are gone: what is not there could not be compared.
func (f File) whole() error {
	var lacks func(t Type) bool
	lacks = func(t Type) bool {
		_, defined := f.definition(t.Word)
		return t.isRef() && strings.Contains(t.Word, "@") && !defined || slices.ContainsFunc(t.Args, lacks)
	}
	fields := func(of string, list []Field) error {
		for _, field := range list {
			if !parseType(field.Type).isWhole() {
				return fmt.Errorf("the type %q of %s/%s is none: take it from the repository's history", field.Type, of, field.Name)
			}
			if lacks(parseType(field.Type)) {
				return fmt.Errorf("the definition of %q of %s/%s is gone: take it from the repository's history", field.Type, of, field.Name)
			}
		}
		return nil
	}
	for _, e := range f.Events {
		if err := fields(e.key(), e.Fields); err != nil {
			return err
		}
	}
	for _, d := range f.Definitions {
		if err := errors.Join(fields(d.Name, d.Fields), fields(d.Name, d.Members), fields(d.Name, []Field{{Name: "type", Type: d.Type}})); err != nil {
			return err
		}
	}
	return nil
}

// UnmarshalJSON also takes a text, which is what a value was before its constants
// were locked.
func (v *Value) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		return json.Unmarshal(data, &v.Value)
	}
	type plain Value
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	return decoder.Decode((*plain)(v))
}

func located(data []byte, err error) error {
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		line := 1 + bytes.Count(data[:min(int(syntax.Offset), len(data))], []byte("\n"))
		return fmt.Errorf("line %d: %w", line, err)
	}
	return err
}

// flat finds the objects of scalars that an indented text spreads over lines.
var flat = regexp.MustCompile(`\{\n\s+("[a-z]+": (?:"(?:[^"\\]|\\.)*"|\d+|true|false)(?:,\n\s+"[a-z]+": (?:"(?:[^"\\]|\\.)*"|\d+|true|false))*)\n\s+\}`)

var between = regexp.MustCompile(`,\n\s+"`)

// Bytes writes the file: a field, a family and an upcaster on a line each.
func (f File) Bytes() ([]byte, error) {
	f.sort()
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(f); err != nil {
		return nil, err
	}
	return flat.ReplaceAllFunc(out.Bytes(), func(object []byte) []byte {
		inner := flat.FindSubmatch(object)[1]
		return append(append([]byte("{"), between.ReplaceAll(inner, []byte(`, "`))...), '}')
	}), nil
}
