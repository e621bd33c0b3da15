// Package zoo holds events with all kinds of fields, for the tests of generated
// codecs, and the two events that the codecs are measured with.
//
//esgen:package msgpack=generated
package zoo

import (
	"encoding/json"
	"math/big"
	"net/netip"
	"time"

	"github.com/google/uuid"
)

type (
	color  string
	level  int8
	size   uint16
	ratio  float64
	flag   bool
	blob   []byte
	hash   [4]byte
	labels map[string]string
)

// Scalars are of the common kinds.
//
//esgen:event name=zoo.scalars
type Scalars struct {
	Bool    bool          `json:"bool"`
	Int     int           `json:"int"`
	Int8    int8          `json:"int8"`
	Int16   int16         `json:"int16"`
	Int32   int32         `json:"int32"`
	Int64   int64         `json:"int64"`
	Uint    uint          `json:"uint"`
	Uint8   uint8         `json:"uint8"`
	Uint16  uint16        `json:"uint16"`
	Uint32  uint32        `json:"uint32"`
	Uint64  uint64        `json:"uint64"`
	Float32 float32       `json:"float32"`
	Float64 float64       `json:"float64"`
	String  string        `json:"string"`
	Bytes   []byte        `json:"bytes"`
	ID      uuid.UUID     `json:"id"`
	At      time.Time     `json:"at"`
	Lasts   time.Duration `json:"lasts"`
	Long    string        `json:"a_name_that_takes_more_than_a_short_header"`
}

// Named are of declared kinds.
//
//esgen:event name=zoo.named
type Named struct {
	Color  color
	Level  level
	Size   size
	Ratio  ratio
	Flag   flag
	Blob   blob
	Hash   hash
	Labels labels
	Levels []level
	Counts map[color]level
}

// Optional may be nil, or left out.
//
//esgen:event name=zoo.optional
type Optional struct {
	String  *string
	Int     *int16
	Twice   **int
	ID      *uuid.UUID
	At      *time.Time
	Scalars *Scalars
	Strings *[]string
	Map     *map[string]int

	OmitBool   bool           `json:"omit_bool,omitempty"`
	OmitString string         `json:"omit_string,omitempty"`
	OmitInt    int32          `json:"omit_int,omitempty"`
	OmitFloat  float32        `json:"omit_float,omitempty"`
	OmitList   []int          `json:"omit_list,omitempty"`
	OmitMap    map[string]int `json:"omit_map,omitempty"`
	OmitBytes  []byte         `json:"omit_bytes,omitempty"`
	OmitPtr    *int           `json:"omit_ptr,omitempty"`
	OmitID     uuid.UUID      `json:"omit_id,omitempty"`
	OmitColor  color          `json:"omit_color,omitempty"`
	ZeroTime   time.Time      `json:"zero_time,omitzero"`
	ZeroInt    int            `json:"zero_int,omitzero"`
	ZeroList   []string       `json:"zero_list,omitzero"`
}

// Lists hold others.
//
//esgen:event name=zoo.lists
type Lists struct {
	Strings  []string
	Bools    []bool
	Floats   []float32
	IDs      []uuid.UUID
	Hashes   [][32]byte
	Nested   [][]int64
	Named    []Named
	Pointers []*Scalars
	Maps     []map[string]int
	Map      map[string]string
	Structs  map[string]Line
	MapOfP   map[string]*Line
	MapOfT   map[string]time.Time
	MapOfM   map[string]map[string][]int
	MapOfID  map[string]uuid.UUID
	Inline   []struct {
		A int    `json:"a"`
		B string `json:"b,omitempty"`
		C []struct{ D bool }
	}
}

// Tree holds itself.
//
//esgen:event name=zoo.tree
type Tree struct {
	Value int
	Left  *Tree
	Nodes []Tree
	By    map[string]Tree
}

// Line is one line of an order.
type Line struct {
	SKU   string `json:"sku"`
	Qty   int64  `json:"qty"`
	Price int64  `json:"price"`
}

// Base is embedded.
type Base struct {
	By   string `json:"by"`
	Seen int    `json:"seen"`
}

// Embeds has the fields of others.
//
//esgen:event name=zoo.embeds
type Embeds struct {
	Base
	line
	Own  string `json:"own"`
	Skip int    `json:"-"`
}

type line struct{ Number int }

// Uncommon is what the runtime writes and reads by reflection.
//
//esgen:event name=zoo.uncommon
type Uncommon struct {
	First   string
	Raw     json.RawMessage
	Number  json.Number
	Addr    netip.Addr
	Big     *big.Int
	ByInt   map[int]string
	ByTime  map[uuid.UUID]string
	Array   [3]int16
	Tagged  Tagged
	Through Through
	Last    string
}

// Tagged has a name of its own in msgpack.
type Tagged struct {
	A int `json:"a" msgpack:"other"`
}

// Through embeds a pointer.
type Through struct {
	*Base
	C int
}

// Empty has no fields.
//
//esgen:event name=zoo.empty
type Empty struct{}

// Placed is the event that codecs are measured with: small without lines and
// labels, large with them.
//
//esgen:event name=zoo.placed
type Placed struct {
	ID       uuid.UUID         `json:"id"`
	Customer string            `json:"customer"`
	Amount   int64             `json:"amount"`
	At       time.Time         `json:"at"`
	Ship     Address           `json:"ship"`
	Lines    []Line            `json:"lines"`
	Labels   map[string]string `json:"labels"`
	Note     *string           `json:"note"`
}

// Address is where an order goes.
type Address struct {
	Street string `json:"street"`
	City   string `json:"city"`
}
