package serializer_test

import (
	"testing"
	"time"

	gojson "github.com/goccy/go-json"
	"github.com/google/uuid"
	"github.com/vmihailenco/msgpack/v5"

	"github.com/esgen/esgen/runtime/serializer"
)

// placed is the event of the benchmarks: small without lines and labels, about
// 170 bytes of JSON, and large with 11 lines and 4 labels, about 840.
type placed struct {
	ID       uuid.UUID         `json:"id"`
	Customer string            `json:"customer"`
	Amount   int64             `json:"amount"`
	At       time.Time         `json:"at"`
	Ship     address           `json:"ship"`
	Lines    []placedLine      `json:"lines"`
	Labels   map[string]string `json:"labels"`
	Note     *string           `json:"note"`
}

type address struct {
	Street string `json:"street"`
	City   string `json:"city"`
}

type placedLine struct {
	SKU   string `json:"sku"`
	Qty   int64  `json:"qty"`
	Price int64  `json:"price"`
}

func small() placed {
	return placed{
		ID: uuid.MustParse("018f3c2e-7b1a-7c3d-9e4f-0123456789ab"), Customer: "ada", Amount: 123456,
		At: time.Date(2026, 11, 20, 12, 30, 15, 123456000, time.UTC), Ship: address{"1 Main Street", "Springfield"},
	}
}

func large() placed {
	p := small()
	for i := range 11 {
		p.Lines = append(p.Lines, placedLine{"sku-0123456789", int64(i), 123456 * int64(i)})
	}
	p.Labels = map[string]string{"channel": "web", "campaign": "autumn", "region": "eu", "tier": "gold"}
	note := "leave at the door"
	p.Note = &note
	return p
}

// codecs are ours, each followed by the library that it is to be compared with.
var codecs = []struct {
	name      string
	marshal   func(any) ([]byte, error)
	unmarshal func([]byte, any) error
}{
	{"json", serializer.JSON{}.Marshal, serializer.JSON{}.Unmarshal},
	{"jsonb", serializer.JSONB{}.Marshal, serializer.JSONB{}.Unmarshal},
	{"raw_go-json", fast, gojson.Unmarshal},
	{"json_standard", serializer.JSON{Standard: true}.Marshal, serializer.JSON{Standard: true}.Unmarshal},
	{"msgpack", serializer.Msgpack{}.Marshal, serializer.Msgpack{}.Unmarshal},
	{"raw_vmihailenco", msgpack.Marshal, msgpack.Unmarshal},
}

func BenchmarkMarshal(b *testing.B) {
	for _, event := range []struct {
		name  string
		value any
	}{{"small", small()}, {"large", large()}} {
		for _, c := range codecs {
			b.Run(event.name+"/"+c.name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					data, err := c.marshal(event.value)
					if err != nil {
						b.Fatal(err)
					}
					b.SetBytes(int64(len(data)))
				}
			})
		}
	}
}

func BenchmarkUnmarshal(b *testing.B) {
	for _, event := range []struct {
		name  string
		value any
	}{{"small", small()}, {"large", large()}} {
		for _, c := range codecs {
			b.Run(event.name+"/"+c.name, func(b *testing.B) {
				data, err := c.marshal(event.value)
				if err != nil {
					b.Fatal(err)
				}
				b.SetBytes(int64(len(data)))
				b.ReportAllocs()
				for b.Loop() {
					var p placed
					if err := c.unmarshal(data, &p); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
