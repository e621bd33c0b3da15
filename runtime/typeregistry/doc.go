// Package typeregistry maps the names under which events are stored to Go types
// and back. Stored names are written by hand and outlive Go names: renaming a
// type changes nothing that is stored.
//
// A [Registry] is built once from [Type] values, by generated code, and never
// changes. There is no global registry.
package typeregistry
