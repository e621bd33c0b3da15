package lock

import (
	"fmt"
	"slices"
	"strings"

	"github.com/esgen/esgen/templates"
)

// found takes what is wrong with a field.
type found func(rule, format string, args ...any)

const instead = "raise revision= and write an //esgen:upcast from the old shape"

// compareFields looks at revisions that are stored now as they were.
func (c *comparison) compareFields() {
	c.inside = make(map[string][]Breach)
	for _, was := range c.was.Events {
		now, ok := c.current(was.Name, was.Revision)
		if !ok || now.Revision != was.Revision {
			continue
		}
		walk := &fieldWalk{comparison: c, event: was, at: c.places[now.key()], seen: make(map[[2]string]bool)}
		walk.fields("", was.Fields, now.Fields)
	}
}

// fieldWalk compares the fields of one event, nested ones included.
type fieldWalk struct {
	*comparison
	event Event
	at    templates.Position
	// seen are pairs of definitions that were compared, each once: this ends recursion.
	seen map[[2]string]bool
	// within are the definitions that are looked into, the innermost last.
	within []pair
}

// pair is a definition as it was beside one as it is now.
type pair struct{ was, now string }

// whole gives a reference the hash that it lacks within the type itself. What the type
// has been in other revisions is another definition of the name.
func (w *fieldWalk) whole(t Type, side func(pair) string) Type {
	if !t.isRef() {
		args := slices.Clone(t.Args)
		for i, a := range args {
			args[i] = w.whole(a, side)
		}
		return Type{t.Word, args}
	}
	if strings.Contains(t.Word, "@") {
		return t
	}
	for _, p := range slices.Backward(w.within) {
		if strings.HasPrefix(side(p), t.Word+"@") {
			return Type{Word: side(p)}
		}
	}
	return t
}

// types are what a field was and is.
func (w *fieldWalk) types(was, now string) (Type, Type) {
	return w.whole(parseType(was), func(p pair) string { return p.was }), w.whole(parseType(now), func(p pair) string { return p.now })
}

func (w *fieldWalk) found(path string, at templates.Position) found {
	if at.File == "" {
		at = w.at
	}
	return func(rule, format string, args ...any) {
		w.inside[rule] = append(w.inside[rule], Breach{Where: w.event.key() + "/" + path, At: at, Text: fmt.Sprintf(format, args...)})
	}
}

func (w *fieldWalk) fields(path string, was, now []Field) {
	taken := make(map[string]bool)
	for _, old := range was {
		at := join(path, old.Name)
		if f, ok := named(now, old.Name); ok {
			taken[f.Name] = true
			w.field(at, old, f)
			w.swapped(at, was, now, old, f)
			continue
		}
		i := slices.IndexFunc(now, func(f Field) bool { return equalFold(f.Name, old.Name) })
		if i >= 0 {
			taken[now[i].Name] = true
			w.found(at, now[i].at)(fieldCase, "%q is stored as %q now: SQL and other readers do not find what is stored; keep the name, or %s", old.Name, now[i].Name, instead)
			continue
		}
		i = slices.IndexFunc(now, func(f Field) bool { return f.Go != "" && f.Go == old.Go })
		if i >= 0 {
			taken[now[i].Name] = true
			w.found(at, now[i].at)(fieldRenamed, "%s is stored as %q now, was %q, so that stored values are lost: keep json:%q, or %s", old.Go, now[i].Name, old.Name, old.Name, instead)
			continue
		}
		w.found(at, templates.Position{})(fieldRemoved, "%q is gone, so that stored values are lost: keep the field, or %s", old.Name, instead)
	}
	for _, f := range now {
		if _, ok := named(was, f.Name); !ok && !taken[f.Name] {
			w.reused(join(path, f.Name), f)
		}
		if _, ok := named(was, f.Name); !ok && !taken[f.Name] && f.Omit == "" && !strings.HasPrefix(f.Type, "optional<") {
			w.found(join(path, f.Name), f.at)("FIELD_ADDED", "%q is new, and stored events do not have it: write omitempty or omitzero, or a pointer, to say that it may be missing, or %s", f.Name, instead)
		}
	}
}

// swapped finds a name that was another field's, which has one of another field now.
func (w *fieldWalk) swapped(path string, was, now []Field, old, f Field) {
	if old.Go == f.Go || old.Go == "" || f.Go == "" {
		return
	}
	i := slices.IndexFunc(was, func(b Field) bool { return b.Go == f.Go })
	j := slices.IndexFunc(now, func(n Field) bool { return n.Go == old.Go })
	if i >= 0 && j >= 0 {
		w.found(path, f.at)(fieldRenamed, "%s is stored as %q now, was %q, and %q was the name of %s: stored values of the one are read as the other; "+
			"give each its name again, or %s", f.Go, f.Name, was[i].Name, f.Name, old.Go, instead)
	}
}

// reused finds a name that a field had before, which was dropped knowingly.
func (w *fieldWalk) reused(path string, f Field) {
	where := w.event.key() + "/" + path
	i := slices.IndexFunc(w.was.Accepted, func(a Accepted) bool {
		return a.Where == where && slices.Contains([]string{fieldRemoved, fieldRenamed, fieldCase}, a.Rule)
	})
	if i >= 0 {
		w.found(path, f.at)("FIELD_REUSED", "%q was a field before that was dropped (%s), and stored events may have it: choose another name, or %s",
			f.Name, w.was.Accepted[i].Reason, instead)
	}
}

// field compares one that has its name still.
func (w *fieldWalk) field(path string, was, now Field) {
	tell := w.found(path, now.at)
	before, after := w.types(was.Type, now.Type)
	if was.Quoted != now.Quoted {
		tell("QUOTED_CHANGED", "%q has another option \"string\" in its tag: stored values have the other form; keep it, or %s", now.Name, instead)
	}
	w.sameType(now.Name, before, after, tell)
	switch before, after := msgpackName(was), msgpackName(now); {
	case before == after, was.Msgpack == "" && w.fromBefore():
	case after == "-":
		tell(fieldRemoved, "%q is gone from msgpack, so that values stored in that format are lost: take the tag msgpack:\"-\" away", now.Name)
	case before != "-":
		tell(fieldRenamed, "%q is stored as %q by msgpack now, was %q, so that values stored in that format are lost: keep msgpack:%q, or %s",
			now.Name, after, before, before, instead)
	}
	if was.Omit != now.Omit {
		tell("OMIT_CHANGED", "%q %s now, before it %s: a program that tells missing from zero sees a difference", now.Name, omits(now.Omit), omits(was.Omit))
	}
	w.nested(path, before, after, now.at)
}

// msgpackName is the name under which msgpack stores a field.
func msgpackName(f Field) string {
	if f.Msgpack != "" {
		return f.Msgpack
	}
	return f.Name
}

func omits(omit string) string {
	if omit == "" {
		return "is always stored"
	}
	return "is left out when it is " + omit
}

// sameType compares kinds, without what is inside of definitions.
func (c *comparison) sameType(name string, was, now Type, tell found) {
	was, now = c.under(&c.was, was), c.under(&c.now, now)
	changed := func() {
		tell("KIND_CHANGED", "%q is %s now, was %s, so that stored values do not fit: keep the type, or %s", name, now, was, instead)
	}
	if was.Word == wordOptional && now.Word != wordOptional {
		tell("FIELD_REQUIRED", "%q is no pointer any more, and stored events may hold null: keep the pointer, or %s", name, instead)
		c.sameType(name, was.Args[0], now, tell)
		return
	}
	if was.Word != wordOptional && now.Word == wordOptional {
		tell("FIELD_OPTIONAL", "%q may be null now, which the old program reads as zero", name)
		c.sameType(name, was, now.Args[0], tell)
		return
	}
	_, wasBits := was.number()
	_, nowBits := now.number()
	switch {
	case was.Word == now.Word && (was.Word == wordText || was.Word == wordCustom):
		if was.Args[0].Word != now.Args[0].Word {
			tell("CUSTOM_CHANGED", "%q is written by %s now, was by %s: only you can know whether that reads what is stored; if it does, accept it, else %s",
				name, now.Args[0].Word, was.Args[0].Word, instead)
		}
	case was.Word == now.Word && len(was.Args) == len(now.Args):
		for i := range was.Args {
			c.sameType(name, was.Args[i], now.Args[i], tell)
		}
	case wasBits > 0 && nowBits > 0 && now.holds(was):
	case wasBits > 0 && nowBits > 0 && was.holds(now):
		tell("KIND_NARROWED", "%q is %s now, was %s, so that a stored number may be too large: keep the type, or %s", name, now, was, instead)
	default:
		changed()
	}
}

// under is what a definition is, in a word; of a struct the word is object.
func (c *comparison) under(f *File, t Type) Type {
	if !t.isRef() {
		return t
	}
	d, ok := f.definition(t.Word)
	switch {
	case !ok:
		return Type{Word: "object"} // the type that is being defined
	case d.Type != "":
		return parseType(d.Type)
	case len(d.Members) > 0:
		return Type{Word: "union"}
	default:
		return Type{Word: "object"}
	}
}

// nested compares what definitions hold.
func (w *fieldWalk) nested(path string, was, now Type, at templates.Position) {
	for was.Word == wordOptional {
		was = was.Args[0]
	}
	for now.Word == wordOptional {
		now = now.Args[0]
	}
	if was.isRef() || now.isRef() {
		w.definitions(path, was, now, at)
		return
	}
	if was.Word != now.Word || len(was.Args) != len(now.Args) || was.Word == wordText || was.Word == wordCustom {
		return
	}
	for i := range was.Args {
		w.nested(path, was.Args[i], now.Args[i], at)
	}
}

func (w *fieldWalk) definitions(path string, was, now Type, at templates.Position) {
	both := [2]string{was.Word, now.Word}
	if w.seen[both] {
		return
	}
	w.seen[both] = true
	w.within = append(w.within, pair{was.Word, now.Word})
	defer func() { w.within = w.within[:len(w.within)-1] }()
	old, _ := w.was.definition(was.Word)
	d, _ := w.now.definition(now.Word)
	tell := w.found(path, at)
	if len(old.Values) > 0 && len(d.Values) > 0 {
		w.values(path, old.Values, d.Values, tell)
	}
	for _, m := range old.Members {
		f, ok := named(d.Members, m.Name)
		if !ok {
			tell("MEMBER_REMOVED", "the member %q of %q is gone, and may be stored: keep it, or %s", m.Name, path, instead)
			continue
		}
		if is := isOf(d.Members, old.Members, m, f); is != "" {
			tell("MEMBER_REMOVED", "the member %q of %q is %s now, and %q was: what is stored as the one is read as the other; give each its name again, or %s",
				m.Name, path, strings.TrimPrefix(goOf(f), "#"), is, instead)
		}
		before, after := w.types(m.Type, f.Type)
		w.sameType(join(path, m.Name), before, after, tell)
		w.nested(join(path, m.Name), before, after, at)
	}
	for _, m := range d.Members {
		if _, ok := named(old.Members, m.Name); !ok && len(old.Members) > 0 {
			tell("MEMBER_ADDED", "the member %q of %q is new: deploy what reads it before what writes it", m.Name, path)
		}
	}
	if old.isObject() && d.isObject() {
		w.fields(path, old.Fields, d.Fields)
	}
}

func (w *fieldWalk) values(path string, was, now []Value, tell found) {
	at := func(list []Value, is func(Value) bool) (Value, bool) {
		i := slices.IndexFunc(list, is)
		if i < 0 {
			return Value{}, false
		}
		return list[i], true
	}
	for _, old := range was {
		v, ok := at(now, func(v Value) bool { return v.Value == old.Value })
		if !ok {
			tell("VALUE_REMOVED", "the value %q of %q has no constant any more, and may be stored: keep it, or %s", old.Value, path, instead)
			continue
		}
		// A constant that is called otherwise stands for the same; one that has moved
		// to another value, and left its own to others, does not.
		moved, ok := at(now, func(other Value) bool { return other.Value != v.Value && shareName(other, old) })
		if ok && !shareName(v, old) {
			tell("VALUE_MOVED", "%s is %s in %q now, was %s, which is %s now: what is stored means something else; keep the values of constants, accept it if %[1]s only counts them and is never stored, or %[6]s",
				old.Go, moved.Value, path, old.Value, v.Go, instead)
		}
	}
	for _, v := range now {
		if _, ok := at(was, func(old Value) bool { return old.Value == v.Value }); !ok {
			tell("VALUE_ADDED", "the value %q of %q is new: deploy what reads it before what writes it", v.Value, path)
		}
	}
}

// shareName reports whether a constant is of both values.
func shareName(a, b Value) bool {
	names := strings.Split(b.Go, ",")
	return a.Go != "" && slices.ContainsFunc(strings.Split(a.Go, ","), func(name string) bool { return slices.Contains(names, name) })
}

// isOf returns the name that the type of a member had, if that type and the one that
// the name had before have changed their names.
func isOf(now, was []Field, old, f Field) string {
	if goOf(old) == goOf(f) || !slices.ContainsFunc(now, func(m Field) bool { return goOf(m) == goOf(old) }) {
		return ""
	}
	i := slices.IndexFunc(was, func(m Field) bool { return goOf(m) == goOf(f) })
	if i < 0 {
		return ""
	}
	return was[i].Name
}

// goOf is the declared type that a field refers to, without its hash.
func goOf(f Field) string {
	name, _, _ := strings.Cut(f.Type, "@")
	return name
}

func (d Definition) isObject() bool { return d.Name != "" && d.Type == "" && len(d.Members) == 0 }

func named(fields []Field, name string) (Field, bool) {
	i := slices.IndexFunc(fields, func(f Field) bool { return f.Name == name })
	if i < 0 {
		return Field{}, false
	}
	return fields[i], true
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
