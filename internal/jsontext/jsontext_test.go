package jsontext_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/esgen/esgen/internal/jsontext"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	for text, reason := range map[string]string{
		`{"a":[1,2.5,"x",null,true]}`: "",
		` "ä 𝄞 \u00e9 \\ \" \/ " `:    "",
		`"\ud834\udd1e"`:              "",
		`"\uD834\uDD1E\ud834\udd1e"`:  "",
		`"\\u0000 \\ud834"`:           "", // escaped backslashes, no escapes
		`"\\\\u0000"`:                 "",
		`0`:                           "",
		"":                            "not valid JSON",
		`{"a":`:                       "not valid JSON",
		`{} {}`:                       "not valid JSON",
		`"\x"`:                        "not valid JSON",
		"\"\xff\"":                    "invalid UTF-8",
		"\"\xed\xa0\x80\"":            "invalid UTF-8", // a surrogate in UTF-8
		`"\u0000"`:                    "U+0000",
		`{"a\u0000":1}`:               "U+0000",
		`"\\\u0000"`:                  "U+0000",
		`"\ud834"`:                    `unpaired surrogate \ud834`,
		`"\udd1e"`:                    `unpaired surrogate \udd1e`,
		`"\udd1e\ud834"`:              `unpaired surrogate \udd1e`,
		`"\ud834\ud834\udd1e"`:        `unpaired surrogate \ud834`,
		`"\ud834x\udd1e"`:             `unpaired surrogate \ud834`,
		`"\ud834\n"`:                  `unpaired surrogate \ud834`,
		`"x\uDBFF"`:                   `unpaired surrogate \uDBFF`,
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			err := jsontext.Check([]byte(text))
			switch {
			case reason == "" && err != nil:
				t.Errorf("refused: %v", err)
			case reason != "" && (err == nil || !strings.Contains(err.Error(), reason)):
				t.Errorf("error %v, want one that says %q", err, reason)
			}
		})
	}
}

func TestCheckJSONB(t *testing.T) {
	t.Parallel()
	for text, ok := range map[string]bool{
		`[1e131071,-1e-16383,"1e131072"]`: true, `1e131072`: false, `{"a":[1e-16384]}`: false, `"\u0000"`: false, `{`: false,
	} {
		if err := jsontext.CheckJSONB([]byte(text)); (err == nil) != ok {
			t.Errorf("%s: %v, want it taken: %t", text, err, ok)
		}
	}
}

func TestReplacedFindsWhatEncodingJSONPutInPlaceOfBytes(t *testing.T) {
	t.Parallel()
	for text, replaced := range map[string]bool{
		"\ufffd": false, `\ufffd`: false, `\\ufffd`: false, `"\`: false, "": false, "a\nb": false,
		"\xff": true, "\\\xff": true, "\ufffd\xff": true, "\xed\xa0\x80": true,
	} {
		data, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := jsontext.Replaced(data); got != replaced {
			t.Errorf("%q, encoded as %s: replaced %t, want %t", text, data, got, replaced)
		}
	}
	if jsontext.Replaced([]byte(`\ufff`)) {
		t.Error("found in what is cut off")
	}
}

func TestCheckObject(t *testing.T) {
	t.Parallel()
	for text, ok := range map[string]bool{
		`{}`: true, " \t\r\n{\"a\":1}\n": true,
		`[]`: false, `"{"`: false, `1`: false, `null`: false, ``: false, ` `: false, `{`: false, `{"a":"\u0000"}`: false,
	} {
		if err := jsontext.CheckObject([]byte(text)); (err == nil) != ok {
			t.Errorf("CheckObject(%q): %v, want success %t", text, err, ok)
		}
	}
}

func TestCheckDepth(t *testing.T) {
	t.Parallel()
	const deep, number = "nests more than 3 levels deep", "holds a number out of the range"
	nested := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	digits := func(n int) string { return strings.Repeat("9", n) }
	for _, c := range []struct{ text, reason string }{
		{`0`, ""},
		{`"["`, ""},
		{nested(3), ""},
		{nested(4), deep},
		{`{"a":{"b":{}}}`, ""},
		{`{"a":{"b":{"c":{}}}}`, deep},
		{`[{"a":[1]},{"a":[2]},[[3]]]`, ""}, // what is closed counts no more
		{`[[["[[", "{\"[", "\\"], "]"]]`, ""},
		{`["]]]\\",[[[`, deep}, // brackets in strings close nothing
		{`["\"]]]",[[[`, deep},

		{`-0`, ""},
		{digits(131072), ""},
		{digits(131073), number},
		{`-` + digits(131073), number},
		{`["` + digits(131073) + `"]`, ""}, // a string
		{`0.` + digits(16383), ""},
		{`0.` + digits(16384), number},
		{`[1,{"a":-1e131071}]`, ""},
		{`[1,{"a":-1e131072}]`, number},
		{`1E+131071`, ""},
		{`10e131071`, number},
		{`1e-16383`, ""},
		{`1e-16384`, number},
		{`0.1e-16382`, ""},
		{`0.1e-16383`, number},
		{`0.` + digits(16384) + `e1`, ""},
		{`[1e9223372036854775807]`, number}, // the exponent is near what an int64 holds
		{`[1e-9223372036854775807]`, number},
		{`1.5e-9223372036854775808`, number},
		{`1e99999999999999999999`, number}, // and beyond
		{`[1e400,1e131072,2]`, number},
	} {
		for _, numeric := range []bool{true, false} {
			reason := c.reason
			if reason == number && !numeric {
				reason = ""
			}
			err := jsontext.CheckDepth([]byte(c.text), 3, numeric)
			if reason == "" && err != nil || reason != "" && (err == nil || !strings.Contains(err.Error(), reason)) {
				t.Errorf("CheckDepth(%.40q of %d bytes, 3, %t): error %v, want %q", c.text, len(c.text), numeric, err, reason)
			}
		}
	}
}

func TestCheckDepthAllocatesNothing(t *testing.T) { // not parallel: it counts allocations
	text := []byte(`{"a":[` + strings.Repeat(`{"b":[1,-2.5e3,"[\"{"]},`, 100) + `0]}`)
	if n := testing.AllocsPerRun(100, func() {
		if err := jsontext.CheckDepth(text, 4, true); err != nil {
			t.Fatal(err)
		}
	}); n > 0 {
		t.Errorf("CheckDepth allocates %v times", n)
	}
}

func TestCheckTextAllocatesNothing(t *testing.T) { // not parallel: it counts allocations
	text := []byte(`{"a":"` + strings.Repeat(`ä\n\u00e9\ud834\udd1e`, 100) + `"}`)
	if n := testing.AllocsPerRun(100, func() {
		if err := jsontext.CheckText(text); err != nil {
			t.Fatal(err)
		}
	}); n > 0 {
		t.Errorf("CheckText allocates %v times", n)
	}
}

// FuzzCheckText: of valid JSON, exactly that is taken which a decoder leaves as
// it is and which holds no U+0000, and it keeps its meaning through encoding/json.
func FuzzCheckText(f *testing.F) {
	for _, text := range []string{
		`{"a":"\ud834\udd1e","b":[1,"\\u0000"]}`, `"\u0000"`, `"\ud834"`, `"\ud834\ud834\udd1e"`, "\"\xff\"", `"\\\udd1e"`,
		`["\u00e9","é"]`, `"\ufffd"`, "\"\ufffd\"", `1e400`, `{"\udc00":1}`, `{"a":1,"a":"\ud800"}`, `"<&>"`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		err := jsontext.CheckText(text) // must not panic, whatever text is
		if !json.Valid(text) {
			return
		}
		zeros, replacements := decoded(t, text)
		altered := replacements != written(text)
		if keeps := zeros == 0 && !altered; keeps != (err == nil) {
			t.Fatalf("%q: error %v, but it holds %d U+0000, and decoding alters it: %t", text, err, zeros, altered)
		}
		if err != nil {
			return
		}
		before := unmarshal(t, text)
		encoded, err := json.Marshal(before)
		if err != nil {
			t.Fatalf("%q is taken, and cannot be encoded: %v", text, err)
		}
		if diff := cmp.Diff(before, unmarshal(t, encoded)); diff != "" {
			t.Fatalf("%q became %q (-before +after):\n%s", text, encoded, diff)
		}
		if err := jsontext.Check(encoded); err != nil {
			t.Fatalf("%q is taken, but not its encoding %q: %v", text, encoded, err)
		}
	})
}

// decoded counts U+0000 and U+FFFD in all strings of text, those of keys that
// stand twice included.
func decoded(t *testing.T, text []byte) (zeros, replacements int) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return zeros, replacements
		}
		if err != nil {
			t.Fatalf("decode %q: %v", text, err)
		}
		if s, ok := token.(string); ok {
			zeros += strings.Count(s, "\x00")
			replacements += strings.Count(s, "\ufffd")
		}
	}
}

// written counts U+FFFD that the author of text wrote, plainly or escaped.
func written(text []byte) int {
	n := bytes.Count(text, []byte("\ufffd"))
	for rest := text; ; {
		at := bytes.IndexByte(rest, '\\')
		if at < 0 {
			return n
		}
		rest = rest[at:]
		if len(rest) >= 6 && strings.EqualFold(string(rest[1:6]), "ufffd") {
			n++
		}
		rest = rest[2:]
	}
}

func unmarshal(t *testing.T, text []byte) any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var value any
	if err := d.Decode(&value); err != nil {
		t.Fatalf("decode %q: %v", text, err)
	}
	return value
}
