package typeregistry_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/esgen/esgen/runtime/typeregistry"
)

type event interface{ isEvent() }

func (opened) isEvent()    {}
func (deposited) isEvent() {}

type closed struct{ By string }

var errNo = errors.New("no")

func evolved(t testing.TB) *typeregistry.Registry {
	t.Helper()
	r, err := typeregistry.New(
		typeregistry.Of(opened{}, "bank.opened", 1).Alias("account.opened", "konto.opened"),
		typeregistry.Of(deposited{}, "bank.deposited", 3).Alias("bank.paid"),
		typeregistry.Of(closed{}, "bank.closed", 1).Retire("never more"),
		typeregistry.Upcast("bank.deposited", 1, func(v depositedV1) (deposited, error) { return deposited{v.Cents * 2}, nil }),
		typeregistry.Upcast("bank.deposited", 2, func(v depositedV1) (deposited, error) { return deposited{}, errNo }),
		typeregistry.Upcast("bank.booked", 1, func(v depositedV1) (event, error) {
			switch {
			case v.Cents > 1000:
				panic("too rich")
			case v.Cents > 0:
				return deposited{v.Cents}, nil
			case v.Cents < 0:
				return &deposited{v.Cents}, nil
			}
			return nil, nil
		}),
		typeregistry.Upcast("bank.ended", 1, func(v closed) (closed, error) { return v, nil }),
		typeregistry.Gone("bank.viewed", "nobody reads it"),
	)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func decoded(t *testing.T, r *typeregistry.Registry, name string, revision int, data string) (any, error) {
	t.Helper()
	typ, err := r.ByName(name, revision)
	if err != nil {
		t.Fatal(err)
	}
	return typ.Decode(func(dst any) error { return json.Unmarshal([]byte(data), dst) })
}

func TestUpcasts(t *testing.T) {
	t.Parallel()
	r := evolved(t)
	for _, c := range []struct {
		name     string
		revision int
		data     string
		want     any
	}{
		{"bank.deposited", 3, `{"Amount":5}`, deposited{5}},
		{"bank.deposited", 1, `{"Cents":5}`, deposited{10}},
		{"bank.paid", 1, `{"Cents":5}`, deposited{10}},
		{"bank.paid", 3, `{"Amount":5}`, deposited{5}},
		{"bank.booked", 1, `{"Cents":5}`, deposited{5}},
		{"bank.booked", 1, `{"Cents":0}`, nil},
		{"bank.ended", 1, `{"By":"ada"}`, closed{"ada"}},
		{"konto.opened", 1, `{"Owner":"ada"}`, opened{"ada"}},
		{"bank.viewed", 99, `what`, nil},
	} {
		if got, err := decoded(t, r, c.name, c.revision, c.data); got != c.want || err != nil {
			t.Errorf("%s %d %s: %#v, %v; want %#v", c.name, c.revision, c.data, got, err, c.want)
		}
	}
	for _, c := range []struct {
		name     string
		revision int
		data     string
		want     string
	}{
		{"bank.deposited", 2, `{}`, `upcast "bank.deposited" revision 2: no`},
		{"bank.booked", 1, `{"Cents":-1}`, `upcast "bank.booked" revision 1: *typeregistry_test.deposited is not an event that can be stored: events are values; pass typeregistry_test.deposited, not *typeregistry_test.deposited`},
		{"bank.booked", 1, `{"Cents":1001}`, `upcast "bank.booked" revision 1: it panicked: too rich`},
	} {
		got, err := decoded(t, r, c.name, c.revision, c.data)
		upcast, ok := errors.AsType[*typeregistry.UpcastError](err)
		if got != nil || !ok || upcast.Name != c.name || upcast.Revision != c.revision || err.Error() != c.want {
			t.Errorf("%#v\n got %v\nwant %s", got, err, c.want)
		}
		if errors.Is(err, errNo) != (c.revision == 2) {
			t.Errorf("%v", err)
		}
	}
	if _, err := decoded(t, r, "bank.deposited", 1, `{"Cents":"x"}`); err == nil || strings.Contains(err.Error(), "upcast") {
		t.Errorf("what does not decode is no matter of the upcaster: %v", err)
	}
}

func TestUpcastersOfUnknownRevisionsSayWhatIsKnown(t *testing.T) {
	t.Parallel()
	_, err := evolved(t).ByName("bank.paid", 4)
	unknown, ok := errors.AsType[*typeregistry.UnknownTypeError](err)
	if !ok || !slices.Equal(unknown.Known, []int{1, 2, 3}) {
		t.Errorf("%v", err)
	}
}

func TestRetiredTypesAreNotStored(t *testing.T) {
	t.Parallel()
	r := evolved(t)
	_, err := r.ByValue(closed{})
	retired, ok := errors.AsType[*typeregistry.RetiredTypeError](err)
	if !ok || *retired != (typeregistry.RetiredTypeError{GoType: "typeregistry_test.closed", Name: "bank.closed", Reason: "never more"}) {
		t.Errorf("%v", err)
	}
	if !strings.Contains(err.Error(), "is retired (never more)") {
		t.Errorf("%v", err)
	}
	if _, err := r.ByValue(depositedV1{}); err == nil {
		t.Error("a shape that is only read is stored")
	}
}

func TestStoredNames(t *testing.T) {
	t.Parallel()
	r := evolved(t)
	for _, c := range []struct{ names, want []string }{
		{[]string{"bank.opened"}, []string{"account.opened", "bank.booked", "bank.opened", "konto.opened"}},
		{[]string{"konto.opened"}, []string{"account.opened", "bank.booked", "bank.opened", "konto.opened"}},
		{[]string{"bank.deposited"}, []string{"bank.booked", "bank.deposited", "bank.paid"}},
		{[]string{"bank.closed", "strange"}, []string{"bank.booked", "bank.closed", "bank.ended", "strange"}},
	} {
		if got := r.Stored(c.names...); !slices.Equal(got, c.want) {
			t.Errorf("%v is stored as %v, want %v", c.names, got, c.want)
		}
	}
	if got := bank(t).Stored("bank.opened"); !slices.Equal(got, []string{"bank.opened"}) {
		t.Errorf("%v", got)
	}
}

func TestWhatTypesAre(t *testing.T) {
	t.Parallel()
	var upcasts, gone, retired []string
	for typ := range evolved(t).Types() {
		if typ.IsUpcast() {
			upcasts = append(upcasts, typ.Name())
		}
		if typ.IsGone() {
			gone = append(gone, typ.Name())
		}
		if typ.IsRetired() {
			retired = append(retired, typ.Name())
		}
	}
	if !slices.Equal(upcasts, []string{"bank.deposited", "bank.deposited", "bank.booked", "bank.ended"}) ||
		!slices.Equal(gone, []string{"bank.viewed"}) || !slices.Equal(retired, []string{"bank.closed", "bank.viewed"}) {
		t.Errorf("upcasts %v, gone %v, retired %v", upcasts, gone, retired)
	}
}

func TestNewRefusesWhatLeadsNowhere(t *testing.T) {
	t.Parallel()
	of := typeregistry.Of(opened{}, "bank.opened", 1)
	up := func(name string, revision int) typeregistry.Type {
		return typeregistry.Upcast(name, revision, func(opened) (opened, error) { return opened{}, nil })
	}
	for want, types := range map[string][]typeregistry.Type{
		"that name and revision belong to typeregistry_test.opened": {of, up("bank.opened", 1)},
		"its upcaster returns typeregistry_test.deposited, which":   {of, typeregistry.Upcast("bank.x", 1, func(opened) (deposited, error) { return deposited{}, nil })},
		`also "bank.opened": that name belongs to "bank.opened"`:    {of, typeregistry.Of(deposited{}, "bank.deposited", 1).Alias("bank.opened")},
		`also "a": that name belongs to "bank.opened"`:              {of.Alias("a"), typeregistry.Of(deposited{}, "bank.deposited", 1).Alias("a")},
		"the name is retired, and its events are passed over":       {of, typeregistry.Gone("bank.opened", "")},
		`register "bank.x": the name is retired`:                    {of, typeregistry.Gone("bank.x", ""), up("bank.x", 1)},
		"an alias is empty":                                         {of.Alias("")},
		"the stored name is empty":                                  {typeregistry.Gone("", "")},
		"revisions begin at 1":                                      {of, up("bank.x", 0)},
	} {
		if _, err := typeregistry.New(types...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestUnionsAreEncodedAsSomethingElse(t *testing.T) {
	t.Parallel()
	typ := typeregistry.Union("bank.opened", 1,
		func(v opened) (deposited, error) {
			if v.Owner == "" {
				return deposited{}, errNo
			}
			return deposited{int64(len(v.Owner))}, nil
		},
		func(s deposited) (opened, error) {
			if s.Amount < 0 {
				return opened{}, errNo
			}
			return opened{strings.Repeat("x", int(s.Amount))}, nil
		})
	r, err := typeregistry.New(typ)
	if err != nil {
		t.Fatal(err)
	}
	if typ, err = r.ByValue(opened{"ada"}); err != nil {
		t.Fatal(err)
	}
	if s, err := typ.Stored(opened{"ada"}); s != (deposited{3}) || err != nil {
		t.Errorf("%#v, %v", s, err)
	}
	if _, err := typ.Stored(opened{}); !errors.Is(err, errNo) {
		t.Error(err)
	}
	if v, err := decoded(t, r, "bank.opened", 1, `{"Amount":2}`); v != (opened{"xx"}) || err != nil {
		t.Errorf("%#v, %v", v, err)
	}
	if _, err := decoded(t, r, "bank.opened", 1, `{"Amount":-2}`); !errors.Is(err, errNo) {
		t.Error(err)
	}
}
