package zoo

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

//esgen:event name=zoo.opened
type Opened struct {
	// Name is the owner's.
	Name    string `json:"name,omitempty"`
	Small   int8   // a small number
	Count   uint32 `json:"count,string"`
	Ratio   float32
	Open    bool            `json:"open"`
	Bytes   []byte          `json:"bytes"`
	Numbers [4]byte         `json:"numbers"`
	At      time.Time       `json:"at,omitzero"`
	For     time.Duration   `json:"for"`
	ID      uuid.UUID       `json:"id"`
	Raw     json.RawMessage `json:"raw"`
	Number  json.Number     `json:"number"`
	Color   Color           `json:"color"`
	Level   Level           `json:"level"`
	Text    Text            `json:"text"`
	Own     Own             `json:"own"`
	Tags    map[Color][]Tag `json:"tags"`
	Next    *Node           `json:"next"`
	Pair    Pair[int16]     `json:"pair"`
	Payment Payment         `json:"payment"`
	Hidden  string          `json:"-"`
	Base
	*Deep
}

type Color string

const (
	Red  Color = "red"
	Blue Color = "blue"
)

type Level int

const (
	High Level = 10
	Low  Level = 9
)

type Text struct{ s string }

func (t Text) MarshalText() ([]byte, error)     { return []byte(t.s), nil }
func (t *Text) UnmarshalText(text []byte) error { t.s = string(text); return nil }

type Own struct{ s string }

func (o Own) MarshalJSON() ([]byte, error)     { return json.Marshal(o.s) }
func (o *Own) UnmarshalJSON(data []byte) error { return json.Unmarshal(data, &o.s) }

type Tag struct {
	Word string `json:"word"`
}

type Node struct {
	Next *Node `json:"next"`
}

type Pair[T any] struct {
	A T `json:"a"`
	B T `json:"b"`
}

type Base struct {
	Kind string `json:"kind"`
}

type Deep struct {
	Deepest
}

type Deepest struct {
	Depth int `json:"depth"`
}

//esgen:union
type Payment interface{ payment() }

//esgen:member name=card
type Card struct {
	Number string `json:"number"`
}

func (Card) payment() {}

//esgen:upcast name=zoo.closed revision=1
func closed(v closedV1) Closed { return Closed{Why: v.Reason} }

type closedV1 struct {
	Reason string `json:"reason"`
}

//esgen:event name=zoo.closed revision=2
type Closed struct {
	Why string `json:"why"`
}

//esgen:state
type State struct{ Open bool }
