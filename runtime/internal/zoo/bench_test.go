package zoo

import (
	"slices"
	"testing"
	"time"

	gojson "github.com/goccy/go-json"
	"github.com/google/uuid"
	"github.com/vmihailenco/msgpack/v5"

	"github.com/esgen/esgen/runtime/serializer"
)

// small is about 170 bytes of JSON, large with 11 lines and 4 labels about 840.
func small() Placed {
	return Placed{
		ID: uuid.MustParse("018f3c2e-7b1a-7c3d-9e4f-0123456789ab"), Customer: "ada", Amount: 123456,
		At: time.Date(2026, 11, 20, 12, 30, 15, 123456000, time.UTC), Ship: Address{"1 Main Street", "Springfield"},
	}
}

func large() Placed {
	p := small()
	for i := range int64(11) {
		p.Lines = append(p.Lines, Line{"sku-0123456789", i, 123456 * i})
	}
	p.Labels = map[string]string{"channel": "web", "campaign": "autumn", "region": "eu", "tier": "gold"}
	note := "leave at the door"
	p.Note = &note
	return p
}

// contender is one way to turn events into bytes and back.
type contender struct {
	name      string
	marshal   func(any) ([]byte, error)
	unmarshal func([]byte, any) error
}

// fields of comparisons: ours, and what it is held against, last.
var comparisons = map[string][]contender{
	"json": {
		{"json", serializer.JSON{}.Marshal, serializer.JSON{}.Unmarshal},
		{"jsonb", serializer.JSONB{}.Marshal, serializer.JSONB{}.Unmarshal},
		{"go-json", func(v any) ([]byte, error) {
			return gojson.MarshalWithOption(v, gojson.DisableHTMLEscape(), gojson.DisableNormalizeUTF8())
		}, gojson.Unmarshal},
	},
	"msgpack": {
		{"generated", msgpackFormat.Marshal, msgpackFormat.Unmarshal},
		{"reflection", serializer.Msgpack{}.Marshal, serializer.Msgpack{}.Unmarshal},
		{"vmihailenco", msgpack.Marshal, msgpack.Unmarshal},
	},
}

// round is how often each contender runs before the next one does.
const round = 100

// BenchmarkCodecs encodes and decodes the small and the large event. The contenders
// of a comparison take turns, so that what else the machine does meets all alike;
// reported are the medians of the turns, the ratio to the library, and allocations.
func BenchmarkCodecs(b *testing.B) {
	for _, format := range []string{"json", "msgpack"} {
		for name, event := range map[string]Placed{"small": small(), "large": large()} {
			b.Run(format+"/encode/"+name, func(b *testing.B) {
				var value any = event
				compare(b, comparisons[format], func(c contender) func() error {
					return func() error { _, err := c.marshal(value); return err }
				})
			})
			b.Run(format+"/decode/"+name, func(b *testing.B) {
				compare(b, comparisons[format], func(c contender) func() error {
					data, err := c.marshal(event)
					if err != nil {
						b.Fatal(err)
					}
					return func() error { return c.unmarshal(data, new(Placed)) }
				})
			})
		}
	}
}

func compare(b *testing.B, contenders []contender, prepare func(contender) func() error) {
	runs := make([]func() error, len(contenders))
	turns := make([][]float64, len(contenders))
	for i, c := range contenders {
		runs[i] = prepare(c)
	}
	for b.Loop() {
		for i, run := range runs {
			start := time.Now()
			for range round {
				if err := run(); err != nil {
					b.Fatal(err)
				}
			}
			turns[i] = append(turns[i], float64(time.Since(start).Nanoseconds())/round)
		}
	}
	b.ReportMetric(0, "ns/op") // of a turn of all, which says nothing
	medians := make([]float64, len(contenders))
	for i, all := range turns {
		slices.Sort(all)
		medians[i] = all[len(all)/2]
	}
	for i, c := range contenders {
		b.ReportMetric(medians[i], c.name+"-ns")
		b.ReportMetric(testing.AllocsPerRun(100, func() { _ = runs[i]() }), c.name+"-allocs")
		if last := len(contenders) - 1; i < last {
			b.ReportMetric(medians[i]/medians[last], c.name+"/"+contenders[last].name)
		}
	}
}
