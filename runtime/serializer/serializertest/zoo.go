package serializertest

import (
	"encoding/json"
	"errors"
	"math/big"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// The zoo: one struct per subject, with every kind of field that events have.
// Types with unexported fields know how to fill themselves.

type (
	color  string
	level  int8
	cents  int64
	size   uint16
	ratio  float64
	flag   bool
	blob   []byte
	labels map[string]string
	code   [4]byte
)

type basics struct {
	Bool    bool    `json:"bool"`
	Int     int     `json:"int"`
	Int8    int8    `json:"int8"`
	Int16   int16   `json:"int16"`
	Int32   int32   `json:"int32"`
	Int64   int64   `json:"int64"`
	Uint    uint    `json:"uint"`
	Uint8   uint8   `json:"uint8"`
	Uint16  uint16  `json:"uint16"`
	Uint32  uint32  `json:"uint32"`
	Uint64  uint64  `json:"uint64"`
	Float32 float32 `json:"float32"`
	Float64 float64 `json:"float64"`
	String  string  `json:"string"`
	Bytes   []byte  `json:"bytes"`
}

type named struct {
	Color  color
	Level  level
	Cents  cents
	Size   size
	Ratio  ratio
	Flag   flag
	Blob   blob
	Labels labels
	Code   code
	Lasts  time.Duration
}

type pointers struct {
	Bool     *bool
	Int      *int64
	String   *string
	Float    *float64
	Struct   *basics
	Time     *time.Time
	ID       *uuid.UUID
	Color    *color
	Pointer  **int
	Triple   ***string
	Money    *money
	Settings *settings
}

type collections struct {
	Strings  []string
	Ints     []int64
	Floats   []float32
	Bools    []bool
	Structs  []named
	Pointers []*basics
	Bytes    [][]byte
	Nested   [][]string
	Array    [3]int16
	Hash     [32]byte
	Structs2 [2]money
	Map      map[string]string
	Counts   map[string]int64
	ByInt    map[int]string
	ByInt8   map[int8]bool
	ByUint   map[uint64]float64
	ByColor  map[color]level
	ByText   map[period]int
	ByID     map[uuid.UUID]string
	Maps     map[string]map[string][]int
	MapOf    map[string]basics
	MapOfP   map[string]*named
	MapOfT   map[string]time.Time
}

type times struct {
	At      time.Time
	Maybe   *time.Time
	All     []time.Time
	ByDay   map[string]time.Time
	Lasts   time.Duration
	Omitted time.Time `json:"omitted,omitzero"`
}

type foreign struct {
	ID     uuid.UUID
	NullID uuid.NullUUID
	IDs    []uuid.UUID
	Addr   netip.Addr
	Prefix netip.Prefix
	Int    *big.Int
	Big    big.Int
}

type tagged struct {
	Renamed   string            `json:"another_name"`
	Empty     string            `json:"empty,omitempty"`
	EmptyInt  int               `json:",omitempty"`
	EmptyList []string          `json:"empty_list,omitempty"`
	EmptyMap  map[string]int    `json:"empty_map,omitempty"`
	EmptyPtr  *int              `json:"empty_ptr,omitempty"`
	Zero      basics            `json:"zero,omitzero"`
	ZeroMoney money             `json:"zero_money,omitzero"`
	Quoted    int64             `json:"quoted,string"`
	QuotedStr string            `json:"quoted_str,string"`
	Dash      string            `json:"-,"` //nolint:staticcheck // the name is a dash, on purpose
	Odd       string            `json:"a.b/c d"`
	Upper     string            `json:"K"`
	Lower     string            `json:"k"`
	Any       any               `json:"any"`
	Anys      []any             `json:"anys"`
	AnyMap    map[string]any    `json:"any_map"`
	Raw       json.RawMessage   `json:"raw"`
	Raws      []json.RawMessage `json:"raws"`
	Number    json.Number       `json:"number"`
}

type base struct {
	BaseName string
	Shared   int
}

// Linked is exported, for only such structs can be embedded by pointer.
type Linked struct {
	LinkName string
	Depth    int
}

type embedding struct {
	base
	*Linked
	Color color
	Inner struct {
		base `json:"base"`
		X    int
	}
}

type recursive struct {
	Name     string
	Next     *recursive
	Children []recursive
	ByName   map[string]*recursive
}

type custom struct {
	Money    money
	Settings settings
	Period   period
	Secret   secret
	Moneys   []money
	ByName   map[string]money
}

// money marshals itself to text.
type money struct {
	minor    int64
	currency string
}

func (m money) MarshalText() ([]byte, error) {
	return []byte(strconv.FormatInt(m.minor, 10) + " " + m.currency), nil
}

func (m *money) UnmarshalText(text []byte) error {
	minor, currency, found := strings.Cut(string(text), " ")
	n, err := strconv.ParseInt(minor, 10, 64)
	if err != nil || !found {
		return errors.New("not an amount of money")
	}
	*m = money{n, currency}
	return nil
}

func (m *money) fill(r *rand.Rand) {
	*m = money{int64(r.Uint64()), []string{"", "EUR", "USD"}[r.IntN(3)]}
}

// settings marshals itself to JSON, by value.
type settings struct{ on, off []string }

func (s settings) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string][]string{"on": s.on, "off": s.off})
}

func (s *settings) UnmarshalJSON(text []byte) error {
	var m map[string][]string
	if err := json.Unmarshal(text, &m); err != nil {
		return err
	}
	*s = settings{m["on"], m["off"]}
	return nil
}

func (s *settings) fill(r *rand.Rand) { *s = settings{on: []string{"a", "b"}[:r.IntN(3)]} }

// period is a comparable text, also as the key of a map.
type period struct{ year, month int }

func (p period) MarshalText() ([]byte, error) {
	return []byte(strconv.Itoa(p.year) + "/" + strconv.Itoa(p.month)), nil
}

func (p *period) UnmarshalText(text []byte) (err error) {
	year, month, _ := strings.Cut(string(text), "/")
	if p.year, err = strconv.Atoi(year); err != nil {
		return err
	}
	p.month, err = strconv.Atoi(month)
	return err
}

func (p *period) fill(r *rand.Rand) { *p = period{r.IntN(3000), r.IntN(13)} }

// secret marshals itself to JSON, by pointer.
type secret struct{ word string }

func (s *secret) MarshalJSON() ([]byte, error)    { return json.Marshal("«" + s.word + "»") }
func (s *secret) UnmarshalJSON(text []byte) error { return s.read(text) }
func (s *secret) fill(r *rand.Rand)               { s.word = text(r) }

func (s *secret) read(text []byte) error {
	var word string
	if err := json.Unmarshal(text, &word); err != nil {
		return err
	}
	s.word = strings.TrimSuffix(strings.TrimPrefix(word, "«"), "»")
	return nil
}

// zoo returns a zero value of every struct.
func zoo() []any {
	return []any{
		basics{},
		named{},
		pointers{},
		collections{},
		times{},
		foreign{},
		tagged{},
		embedding{},
		recursive{},
		custom{},
		struct{}{},
	}
}
