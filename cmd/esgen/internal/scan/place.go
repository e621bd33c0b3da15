package scan

import (
	"go/ast"
	"go/token"
)

// place is where a comment stands.
type place struct {
	// spec is the type it documents, or nil.
	spec *ast.TypeSpec
	// fn is the function it documents, or nil.
	fn *ast.FuncDecl
	// pkg: it documents the package, or stands alone between declarations.
	pkg bool
	// words describe it for a message.
	words string
}

// places of one file's comments.
type places struct {
	file   *ast.File
	groups map[*ast.CommentGroup]place
}

func placesOf(file *ast.File) places {
	p := places{file: file, groups: map[*ast.CommentGroup]place{}}
	set := func(group *ast.CommentGroup, at place) {
		if group != nil {
			p.groups[group] = at
		}
	}
	set(file.Doc, place{pkg: true, words: "the package clause"})
	for _, decl := range file.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			set(d.Doc, place{fn: d, words: "func " + d.Name.Name})
		case *ast.GenDecl:
			if d.Tok == token.TYPE && !d.Lparen.IsValid() && len(d.Specs) == 1 {
				spec := d.Specs[0].(*ast.TypeSpec)
				set(d.Doc, place{spec: spec, words: "type " + spec.Name.Name})
			} else {
				set(d.Doc, place{words: declared(d)})
			}
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					set(s.Doc, place{spec: s, words: "type " + s.Name.Name})
					set(s.Comment, place{words: "the end of a line"})
				case *ast.ValueSpec:
					set(s.Doc, place{words: d.Tok.String() + " " + s.Names[0].Name})
					set(s.Comment, place{words: "the end of a line"})
				}
			}
		}
	}
	return p
}

// of finds the place of a comment group.
func (p places) of(group *ast.CommentGroup) place {
	if at, ok := p.groups[group]; ok {
		return at
	}
	for _, decl := range p.file.Decls {
		if decl.Pos() <= group.Pos() && group.End() <= decl.End() {
			return place{words: "the inside of " + declared(decl)}
		}
		if decl.Pos() > group.End() {
			return place{pkg: true, words: "a comment that an empty line separates from " + declared(decl)}
		}
	}
	return place{pkg: true, words: "a comment after the last declaration"}
}

// declared names a declaration.
func declared(decl ast.Decl) string {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		return "func " + d.Name.Name
	case *ast.GenDecl:
		if d.Lparen.IsValid() {
			return "a group of " + d.Tok.String() + " declarations"
		}
		if len(d.Specs) > 0 {
			switch s := d.Specs[0].(type) {
			case *ast.TypeSpec:
				return "type " + s.Name.Name
			case *ast.ValueSpec:
				return d.Tok.String() + " " + s.Names[0].Name
			}
		}
		return "the " + d.Tok.String() + " declaration"
	}
	return "a declaration"
}
