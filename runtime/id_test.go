package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/uuid"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/internal/bank"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
)

type (
	accountID string
	number    int16
	serial    uint64
	tiny      uint8
)

// split has a text form of its own, which may fail.
type split struct{ a, b string }

var errNoText = errors.New("no text for this")

func (s split) MarshalText() ([]byte, error) {
	if strings.Contains(s.a+s.b, "/") {
		return nil, errNoText
	}
	return []byte(s.a + "/" + s.b), nil
}

func (s *split) UnmarshalText(text []byte) error {
	var ok bool
	if s.a, s.b, ok = strings.Cut(string(text), "/"); !ok {
		return errNoText
	}
	return nil
}

func TestIDTextsAreReadBack(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	readsBack(t, es.StringID[string]{}, "a", "a-b-c", " ", "ü/\u65e5\u672c")
	readsBack(t, es.StringID[accountID]{}, "a-17")
	readsBack(t, es.IntID[number]{}, 0, 1, -1, math.MaxInt16, math.MinInt16, number(random.Int()))
	readsBack(t, es.IntID[int64]{}, 0, math.MaxInt64, math.MinInt64, int64(random.Uint64()))
	readsBack(t, es.IntID[serial]{}, 0, math.MaxUint64, serial(random.Uint64()))
	readsBack(t, es.IntID[tiny]{}, 0, 255)
	readsBack(t, es.TextID[uuid.UUID, *uuid.UUID]{}, uuid.New(), uuid.UUID{1})
	readsBack(t, es.TextID[split, *split]{}, split{"a", "b"}, split{"", ""})
}

// readsBack also compares with what a stream is named and a handler is told.
func readsBack[ID comparable](t *testing.T, f es.IDText[ID], ids ...ID) {
	t.Helper()
	for _, id := range ids {
		text, err := f.Text(id)
		if err != nil {
			t.Fatalf("%#v: %v", id, err)
		}
		if again, err := f.Parse(text); again != id || err != nil {
			t.Errorf("%#v is written %q and read as %#v, %v", id, text, again, err)
		}
		db := memory.New(memory.Config{})
		family := es.NewFamily[ID, bank.Event]("bank", bank.Types, f)
		a := stored(t)(family.Stream(db, id).Append(t.Context(), store.NoStream, bank.AccountOpened{}))
		if a.Stream != "bank-"+text {
			t.Errorf("%#v is stored as %q", id, a.Stream)
		}
		var told ID
		seen := handled(t, db, family.On(func(_ context.Context, m es.Meta[ID], _ bank.Event) error {
			told = m.ID
			return nil
		}))
		if seen != nil || told != id {
			t.Errorf("a handler is told %#v, not %#v: %v", told, id, seen)
		}
	}
}

func TestTextsThatAreNoIDsAreErrors(t *testing.T) {
	t.Parallel()
	isNoID(t, es.IntID[number]{}, "", "x", "+1", "01", "-0", "00", "1_0", "0x1", "32768", "-32769", "1 ", "١")
	isNoID(t, es.IntID[serial]{}, "-1", "18446744073709551616", "007")
	isNoID(t, es.IntID[tiny]{}, "256", "-1")
	isNoID(t, es.TextID[uuid.UUID, *uuid.UUID]{}, "", "x",
		"F47AC10B-58CC-4372-A567-0E02B2C3D479", "{f47ac10b-58cc-4372-a567-0e02b2c3d479}", "urn:uuid:f47ac10b-58cc-4372-a567-0e02b2c3d479")
	isNoID(t, es.TextID[split, *split]{}, "ab", "a/b/c")
}

func isNoID[ID any](t *testing.T, f es.IDText[ID], texts ...string) {
	t.Helper()
	for _, text := range texts {
		if id, err := f.Parse(text); err == nil {
			t.Errorf("%T: %q is read as %v", id, text, id)
		}
	}
}

func TestAnIDWithoutATextNamesItself(t *testing.T) {
	t.Parallel()
	family := es.NewFamily[split, bank.Event]("bank", bank.Types, es.TextID[split, *split]{})
	_, err := family.Stream(memory.New(memory.Config{}), split{"a/", "b"}).Append(t.Context(), store.Any, bank.AccountOpened{})
	e, ok := errors.AsType[*es.IDError](err)
	if !ok || e.Family != "bank" || !strings.Contains(fmt.Sprint(err), "{a/ b}") || !errors.Is(err, errNoText) {
		t.Errorf("append: %v", err)
	}
}

func TestAStreamWhoseNameHoldsNoIDStopsTheHandler(t *testing.T) {
	t.Parallel()
	for _, stream := range []string{"bank-", "bank-007", "bank-x"} {
		db := memory.New(memory.Config{})
		_, err := db.Append(t.Context(), store.Batch{Stream: stream, Expected: store.NoStream, Events: []store.Event{
			{Type: bank.AccountOpenedName, Revision: 1, Format: store.JSON, Data: []byte(`{"owner":"ada","currency":"EUR"}`)},
		}})
		if err != nil {
			t.Fatal(err)
		}
		family := es.NewFamily[int, bank.Event]("bank", bank.Types, es.IntID[int]{})
		err = handled(t, db, family.On(func(context.Context, es.Meta[int], bank.Event) error { return nil }))
		read, ok := errors.AsType[*es.ReadError](err)
		if !ok || read.Stream != stream || read.Version != 1 || read.Position != 1 {
			t.Errorf("%s: %v", stream, err)
		}
		if id, ok := errors.AsType[*es.IDError](err); !ok || "bank-"+id.ID != stream {
			t.Errorf("%s: %v", stream, err)
		}
	}
}
