package serializer_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/serializer"
)

var update = flag.Bool("update", false, "write golden files that do not exist; existing ones never change")

// golden is an event with every kind of field, stored by release 1. What is
// written stays readable: its files in testdata are never changed, only added to.
type golden struct {
	Bool     bool              `json:"bool"`
	Int      int64             `json:"int"`
	Small    int8              `json:"small"`
	Uint     uint64            `json:"uint"`
	Float    float64           `json:"float"`
	Single   float32           `json:"single"`
	Text     string            `json:"text"`
	Bytes    []byte            `json:"bytes"`
	ID       uuid.UUID         `json:"id"`
	Hash     [4]byte           `json:"hash"`
	At       time.Time         `json:"at"`
	Old      time.Time         `json:"old"`
	Far      time.Time         `json:"far"`
	Lasts    time.Duration     `json:"lasts"`
	Nil      *string           `json:"nil"`
	Pointer  *int              `json:"pointer"`
	List     []string          `json:"list"`
	NilList  []string          `json:"nil_list"`
	Empty    []string          `json:"empty"`
	Structs  []goldenLine      `json:"structs"`
	Labels   map[string]string `json:"labels"`
	ByNumber map[int]bool      `json:"by_number"`
	ByID     map[uuid.UUID]int `json:"by_id"`
	Omitted  string            `json:"omitted,omitempty"`
	Zero     time.Time         `json:"zero,omitzero"`
	Any      any               `json:"any"`
	Raw      json.RawMessage   `json:"raw"`
	Number   json.Number       `json:"number"`
	Amount   amount            `json:"amount"`
	Point    point             `json:"point"`
	GoldenBase
}

type goldenLine struct {
	SKU string `json:"sku"`
	Qty int    `json:"qty"`
}

type GoldenBase struct {
	Embedded string `json:"embedded"`
}

// amount marshals itself to text, point to JSON only.
type amount struct{ text string }

func (a amount) MarshalText() ([]byte, error)     { return []byte(a.text), nil }
func (a *amount) UnmarshalText(text []byte) error { a.text = string(text); return nil }

type point struct{ x, y int }

func (p point) MarshalJSON() ([]byte, error) { return json.Marshal([2]int{p.x, p.y}) }
func (p *point) UnmarshalJSON(text []byte) error {
	var xy [2]int
	err := json.Unmarshal(text, &xy)
	p.x, p.y = xy[0], xy[1]
	return err
}

func goldenEvent() golden {
	seven := 7
	return golden{
		Bool: true, Int: math.MinInt64, Small: -100, Uint: math.MaxUint64, Float: 1.0 / 3, Single: 0.1,
		Text: "é😀 <&> \u2028 \ufffd \"\\/\n\x01", Bytes: []byte{0, 255}, ID: uuid.MustParse("018f3c2e-7b1a-7c3d-9e4f-0123456789ab"),
		Hash: [4]byte{1, 2, 3, 4}, At: time.Date(2026, 11, 20, 12, 30, 15, 123456789, time.UTC), Old: time.Date(1066, 10, 14, 9, 0, 0, 0, time.UTC),
		Far: time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC), Lasts: 90 * time.Second, Pointer: &seven,
		List: []string{"a", ""}, Empty: []string{}, Structs: []goldenLine{{"x", 1}, {"y", 300}}, Labels: map[string]string{"b": "2", "a": "1"},
		ByNumber: map[int]bool{-1: true, 300: false}, ByID: map[uuid.UUID]int{uuid.MustParse("018f3c2e-7b1a-7c3d-9e4f-0123456789ab"): 1},
		Any: map[string]any{"list": []any{nil, true, "x", 1.5}}, Raw: json.RawMessage(`{"k":[1,2]}`), Number: "12345678901234567890.5",
		Amount: amount{"5.00 EUR"}, Point: point{3, -4}, GoldenBase: GoldenBase{"base"},
	}
}

func TestGolden(t *testing.T) {
	t.Parallel()
	for format, s := range formats {
		file := filepath.Join("testdata", "release1."+s.Format())
		want := goldenEvent()
		data, err := s.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(file); *update && os.IsNotExist(err) {
			if err := os.WriteFile(file, []byte(wrap(s, data)), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatalf("%v; run the test once with -update", err)
		}
		stored := unwrap(t, s, string(text))
		var got golden
		if err := s.Unmarshal(stored, &got); err != nil {
			t.Errorf("%s: bytes of release 1 cannot be read: %v", format, err)
			continue
		}
		if diff := cmp.Diff(want, got, same); diff != "" {
			t.Errorf("%s: bytes of release 1 read differently (-want +got):\n%s", format, diff)
		}
		if !bytes.Equal(unescapeSeparators(data), stored) {
			t.Errorf("%s: the bytes written have changed, which hashes and tests of users would see\n got %q\nwant %q", format, data, stored)
		}
	}
}

// wrap writes binary as lines of hexadecimal digits, and ends text with a newline.
func wrap(s serializer.Serializer, data []byte) string {
	if s.Format() != "msgpack" {
		return string(data) + "\n"
	}
	digits := hex.EncodeToString(data)
	var b strings.Builder
	for len(digits) > 64 {
		b.WriteString(digits[:64] + "\n")
		digits = digits[64:]
	}
	return b.String() + digits + "\n"
}

func unwrap(t *testing.T, s serializer.Serializer, text string) []byte {
	t.Helper()
	if s.Format() != "msgpack" {
		return []byte(strings.TrimSuffix(text, "\n"))
	}
	data, err := hex.DecodeString(strings.ReplaceAll(text, "\n", ""))
	if err != nil {
		t.Fatal(err)
	}
	return data
}
