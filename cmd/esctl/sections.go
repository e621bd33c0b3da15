package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// field is one of a JSON object, in its order.
type field struct {
	name  string
	value any // nil, bool, string, json.Number, []field, []any
}

// fieldsOf decodes an object.
func fieldsOf(text []byte) ([]field, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	value, err := valueOf(d)
	fields, _ := value.([]field)
	return fields, err
}

func valueOf(d *json.Decoder) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		fields := []field{}
		for d.More() {
			name, err := d.Token()
			if err != nil {
				return nil, err
			}
			value, err := valueOf(d)
			if err != nil {
				return nil, err
			}
			fields = append(fields, field{fmt.Sprint(name), value})
		}
		_, err := d.Token()
		return fields, err
	case json.Delim('['):
		list := []any{}
		for d.More() {
			value, err := valueOf(d)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		_, err := d.Token()
		return list, err
	}
	return token, nil
}

// sections prints a report: what is one value on a line, what is many as a table,
// and the findings last.
func (s shell) sections(report []byte, f findings) error {
	fields, err := fieldsOf(report)
	if err != nil {
		return err
	}
	var top table
	for _, v := range fields {
		if one, ok := inline(v.value); ok && v.name != "findings" {
			top.row(words(v.name), one)
		}
	}
	top.print(s.stdout)
	for _, v := range fields {
		if _, ok := inline(v.value); ok || v.name == "findings" {
			continue
		}
		s.printf("\n%s", words(v.name))
		section(v.value).print(s.stdout)
	}
	s.printf("\nfindings")
	if len(f.Findings) == 0 {
		s.printf("  none")
	}
	for _, v := range f.Findings {
		s.printf("  %s: %s\n    %s", printable(v.Severity), printable(v.What), printable(v.Remedy))
	}
	s.printf("")
	return nil
}

// section is a nested object, or a list of objects, as a table.
func section(value any) *table {
	var t table
	switch v := value.(type) {
	case []field:
		for _, f := range v {
			text, _ := inline(f.value)
			t.row("  "+words(f.name), text)
		}
	case []any:
		for i, item := range v {
			row, ok := item.([]field)
			if !ok {
				continue
			}
			header, cells := make([]string, 0, len(row)), make([]string, 0, len(row))
			for _, f := range row {
				header = append(header, strings.ToUpper(words(f.name)))
				text, _ := inline(f.value)
				cells = append(cells, text)
			}
			if i == 0 {
				header[0] = "  " + header[0]
				t.row(header...)
			}
			cells[0] = "  " + cells[0]
			t.row(cells...)
		}
	}
	return &t
}

// inline is a value that fits on a line, and whether value does.
func inline(value any) (string, bool) {
	switch v := value.(type) {
	case nil:
		return "-", true
	case bool:
		if v {
			return "yes", true
		}
		return "no", true
	case string:
		if t, err := time.Parse(time.RFC3339Nano, v); err == nil {
			return t.Format(time.DateTime), true
		}
		return strings.Join(strings.Fields(v), " "), true
	case json.Number:
		if f, err := v.Float64(); err == nil && strings.Contains(v.String(), ".") {
			return fmt.Sprintf("%.1f", f), true
		}
		return v.String(), true
	case []any:
		all := make([]string, len(v))
		for i, item := range v {
			if _, ok := item.([]field); ok {
				return "", false
			}
			all[i], _ = inline(item)
		}
		if len(all) == 0 {
			return "none", true
		}
		return strings.Join(all, ", "), true
	case []field:
		all := make([]string, len(v))
		for i, f := range v {
			text, _ := inline(f.value)
			all[i] = words(f.name) + " " + text
		}
		return strings.Join(all, ", "), false
	}
	return fmt.Sprint(value), true
}

func words(name string) string { return strings.ReplaceAll(name, "_", " ") }
