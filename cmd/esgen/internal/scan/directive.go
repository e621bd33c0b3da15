package scan

import (
	"go/ast"
	"go/token"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// tool begins every directive.
const tool = "esgen"

// The directives.
const (
	onEvent   = "event"
	onFamily  = "family"
	onPackage = "package"
	onState   = "state"
	onUpcast  = "upcast"
	onRetired = "retired"
	onUnion   = "union"
	onMember  = "member"
)

// Keys of several directives.
const (
	keyName     = "name"
	keyRevision = "revision"
	keyAlias    = "alias"
	keyFamily   = "family"
)

// known lists the directives and the keys of each.
func known() map[string][]string {
	return map[string][]string{
		onEvent:   {keyName, keyRevision, keyAlias, keyFamily},
		onFamily:  {"id", keyName},
		onPackage: {"drift", "msgpack", "serializers"},
		onState:   {keyFamily, "snapshots", keyRevision},
		onUpcast:  {keyName, keyRevision, keyFamily},
		onRetired: {keyName, keyRevision, keyAlias, keyFamily, "reason"},
		onUnion:   {},
		onMember:  {keyName},
	}
}

// directive is one //esgen: line with its arguments.
type directive struct {
	name string
	pos  token.Pos
	args map[string]argument
	at   place
}

type argument struct {
	value string
	pos   token.Pos
}

// directives finds all directives of the package, and reports what was meant as
// one.
func (s *source) directives() []directive {
	var list []directive
	for _, file := range s.files {
		places := placesOf(file)
		for _, group := range file.Comments {
			for _, c := range group.List {
				if d, ok := s.directive(c); ok {
					d.at = places.of(group)
					list = append(list, d)
				}
			}
		}
	}
	for file, why := range s.apart {
		for _, group := range file.Comments {
			for _, c := range group.List {
				if d, ok := ast.ParseDirective(c.Slash, c.Text); ok && d.Tool == tool {
					s.addf(c.Slash, "//esgen:%s stands in %s: what is stored has to be the same in all; "+
						"move it to a file without that restriction", d.Name, why)
				}
			}
		}
	}
	return list
}

// directive reads one comment. It is false if that is none, or not a valid one.
func (s *source) directive(c *ast.Comment) (directive, bool) {
	d, ok := ast.ParseDirective(c.Slash, c.Text)
	if !ok || d.Tool != tool {
		s.nearMiss(c)
		return directive{}, false
	}
	keys, ok := known()[d.Name]
	if !ok {
		names := slices.Sorted(maps.Keys(known()))
		if better := suggest(d.Name, names); better != "" {
			s.addf(c.Slash, "unknown directive //esgen:%s: write //esgen:%s", d.Name, better)
		} else {
			s.addf(c.Slash, "unknown directive //esgen:%s: there are %s", d.Name, strings.Join(names, ", "))
		}
		return directive{}, false
	}
	result := directive{name: d.Name, pos: c.Slash, args: map[string]argument{}}
	parsed, err := d.ParseArgs()
	if err != nil {
		s.addf(d.ArgsPos, "//esgen:%s: %s: write key=value, separated by blanks", d.Name, err)
		return directive{}, false
	}
	for _, a := range parsed {
		if strings.HasPrefix(a.Arg, "//") {
			break // a remark at the end of the line
		}
		key, value, found := strings.Cut(a.Arg, "=")
		switch {
		case !found:
			s.addf(a.Pos, "//esgen:%s: %q is not key=value%s", d.Name, a.Arg, instead(key, keys))
			ok = false
		case !slices.Contains(keys, key):
			s.addf(a.Pos, "//esgen:%s: unknown key %q%s", d.Name, key, instead(key, keys))
			ok = false
		case result.args[key].pos.IsValid():
			s.addf(a.Pos, "//esgen:%s: %s= is given twice: leave one out", d.Name, key)
			ok = false
		case value == "":
			s.addf(a.Pos, "//esgen:%s: %s= is empty: write a value without a blank after the =", d.Name, key)
			ok = false
		default:
			result.args[key] = argument{value: value, pos: a.Pos}
		}
	}
	return result, ok
}

// instead says which key to write.
func instead(key string, keys []string) string {
	if len(keys) == 0 {
		return ": it has no keys; leave it out"
	}
	// Words that other tools use for the same.
	switch key = strings.ToLower(key); {
	case slices.Contains(keys, keyRevision) && slices.Contains([]string{"version", "rev", "v"}, key):
		return ": write revision=, for a version is a stream's"
	case slices.Contains(keys, keyRevision) && slices.Contains([]string{"from", "to"}, key):
		return ": write revision=, the one that is read; where it leads says the function"
	case slices.Contains(keys, keyName) && slices.Contains([]string{"type", "event", "category"}, key):
		return ": write name="
	}
	if better := suggest(key, keys); better != "" {
		return ": write " + better + "="
	}
	return ": the keys are " + strings.Join(keys, ", ")
}

// notColon are what people write for the colon of a directive.
const notColon = " \t.=_-"

// missed matches comments that look like directives and are none to the go
// command, and so would be silently without effect.
func missed() *regexp.Regexp {
	return regexp.MustCompile(`^(//+|/\*)[\s+@*]*(?i:esgen)([ \t]*):([ \t]*)([A-Za-z]+)`)
}

// colonless matches those that have another sign for the colon. What follows
// tells them from prose.
func colonless() *regexp.Regexp {
	return regexp.MustCompile(`^(//+|/\*)[\s+@*]*(?i:esgen)[` + notColon + `]+([a-z]+)([ \t]+[a-z]+=|[ \t]*$)`)
}

func (s *source) nearMiss(c *ast.Comment) {
	if !mentions([]byte(c.Text)) {
		return
	}
	names := slices.Sorted(maps.Keys(known()))
	var name, rest string
	if m := missed().FindStringSubmatch(c.Text); m != nil {
		name, rest = strings.ToLower(m[4]), c.Text[len(m[0]):]
		if !slices.Contains(names, name) {
			// Words after a colon and a blank are prose more often than not.
			better := suggest(name, names)
			if better == "" || m[3] != "" {
				return
			}
			name = better
		}
	} else if m := colonless().FindStringSubmatch(c.Text); m != nil && slices.Contains(names, m[2]) {
		if name, rest = m[2], m[3]+c.Text[len(m[0]):]; !strings.Contains(m[3], "=") && !strings.HasPrefix(c.Text, "//"+tool) {
			return // a line of prose may end so
		}
	} else if strings.TrimRight(c.Text, " \t") == "//"+tool+":" {
		name, rest = onEvent, " name=…"
	} else {
		return
	}
	rest, _, _ = strings.Cut(strings.TrimSuffix(rest, "*/"), "\n")
	s.addf(c.Slash, "this is no directive and has no effect: write //esgen:%s", strings.TrimRight(name+rest, " \t"))
}
