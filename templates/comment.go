package templates

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/dave/jennifer/jen"
)

// width is the longest line of a comment, its // included.
const width = 84

// comment writes text as line comments, wrapped, each followed by a line break.
// Paragraphs are separated by empty lines; lists, headings and code are left as
// they are. Each tab of indent narrows the text.
func comment(text string, indent int) *jen.Statement {
	code := &jen.Statement{}
	for _, line := range wrap(text, width-len("// ")-4*indent) {
		switch {
		case line == "":
			code.Comment("//").Line()
		case line[0] == '\t':
			code.Comment("//" + line).Line()
		default:
			code.Comment("// " + line).Line()
		}
	}
	return code
}

// wrap breaks the paragraphs of text into lines of at most limit characters.
func wrap(text string, limit int) []string {
	var lines []string
	for i, paragraph := range strings.Split(strings.Trim(text, "\n"), "\n\n") {
		if i > 0 {
			lines = append(lines, "")
		}
		if !isProse(paragraph) {
			lines = append(lines, strings.Split(paragraph, "\n")...)
			continue
		}
		line, length := "", 0
		for word := range strings.FieldsSeq(paragraph) {
			n := utf8.RuneCountInString(word)
			if length > 0 && length+1+n > limit {
				lines, line, length = append(lines, line), "", 0
			}
			if length > 0 {
				line, length = line+" ", length+1
			}
			line, length = line+word, length+n
		}
		lines = append(lines, line)
	}
	return lines
}

// isProse reports whether a paragraph of a Go comment may be broken anew: it is
// no code, list, heading or link definition.
func isProse(paragraph string) bool {
	for line := range strings.SplitSeq(paragraph, "\n") {
		first, _ := utf8.DecodeRuneInString(line)
		if unicode.IsSpace(first) || first == '#' || first == '-' || first == '*' || first == '+' {
			return false
		}
		if first == '[' && strings.Contains(line, "]: ") {
			return false
		}
		if digits := strings.TrimLeft(line, "0123456789"); digits != line &&
			(strings.HasPrefix(digits, ". ") || strings.HasPrefix(digits, ") ")) {
			return false
		}
	}
	return true
}

// enumerate joins words as a sentence does: "a", "a and b", "a, b and c".
func enumerate(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " and " + words[last]
}

// article is "an" before a vowel and "a" before anything else.
func article(word string) string {
	if strings.ContainsRune("AEIOaeio", rune(word[0])) {
		return "an"
	}
	return "a"
}
