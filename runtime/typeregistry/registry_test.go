package typeregistry_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/esgen/esgen/runtime/typeregistry"
)

type (
	opened      struct{ Owner string }
	deposited   struct{ Amount int64 }
	depositedV1 struct{ Cents int64 }
	stranger    struct{ X int }
	embeds      struct {
		opened
		Extra int
	}
)
type embedsPointer struct{ *deposited }

func bank(t testing.TB) *typeregistry.Registry {
	t.Helper()
	r, err := typeregistry.New(
		typeregistry.Of(opened{}, "bank.opened", 1),
		typeregistry.Of(deposited{}, "bank.deposited", 3),
		typeregistry.Of(depositedV1{}, "bank.deposited", 1),
	)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestLookups(t *testing.T) {
	t.Parallel()
	r := bank(t)
	byName, err := r.ByName("bank.deposited", 3)
	if err != nil {
		t.Fatal(err)
	}
	byValue, err := r.ByValue(deposited{5})
	if err != nil {
		t.Fatal(err)
	}
	for _, got := range []typeregistry.Type{byName, byValue} {
		if got.Name() != "bank.deposited" || got.Revision() != 3 || got.GoType() != reflect.TypeFor[deposited]() {
			t.Errorf("got %s revision %d as %s", got.Name(), got.Revision(), got.GoType())
		}
	}
	old, err := r.ByName("bank.deposited", 1)
	if err != nil || old.GoType() != reflect.TypeFor[depositedV1]() {
		t.Errorf("revision 1: got %v, %v", old.GoType(), err)
	}
	if diff := cmp.Diff([]string{"bank.deposited", "bank.opened"}, r.Names()); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	var revisions []int
	for typ := range r.Types() {
		revisions = append(revisions, typ.Revision())
	}
	if !slices.Equal(revisions, []int{1, 3, 1}) {
		t.Errorf("types are not in the order given: revisions %v", revisions)
	}
}

func TestUnknownType(t *testing.T) {
	t.Parallel()
	r := bank(t)
	for _, c := range []struct {
		name     string
		revision int
		known    []int
		text     string
	}{
		{"bank.closed", 1, nil, `event type "bank.closed" revision 1: this binary does not know the name; deploy a binary that knows it`},
		{"", 0, nil, `event type "" revision 0: this binary does not know the name; deploy a binary that knows it`},
		{"bank.opened", 2, []int{1}, `event type "bank.opened" revision 2: this binary knows only revision 1 of it; deploy a binary that knows revision 2`},
		{"bank.deposited", 2, []int{1, 3}, `event type "bank.deposited" revision 2: this binary knows only revisions 1, 3 of it; deploy a binary that knows revision 2`},
	} {
		_, err := r.ByName(c.name, c.revision)
		unknown, ok := errors.AsType[*typeregistry.UnknownTypeError](err)
		if !ok {
			t.Errorf("%s %d: got %v", c.name, c.revision, err)
			continue
		}
		want := &typeregistry.UnknownTypeError{Name: c.name, Revision: c.revision, Known: c.known}
		if diff := cmp.Diff(want, unknown); diff != "" {
			t.Errorf("%s %d (-want +got):\n%s", c.name, c.revision, diff)
		}
		if err.Error() != c.text {
			t.Errorf("text\n got %s\nwant %s", err, c.text)
		}
	}
}

func TestForeignType(t *testing.T) {
	t.Parallel()
	r := bank(t)
	for _, c := range []struct {
		value  any
		goType string
		text   string
	}{
		{nil, "nil", "nil is not an event that can be stored: there is no event; pass a value of a registered type"},
		{&opened{}, "*typeregistry_test.opened", "*typeregistry_test.opened is not an event that can be stored: events are values; pass typeregistry_test.opened, not *typeregistry_test.opened"},
		{(*opened)(nil), "*typeregistry_test.opened", "*typeregistry_test.opened is not an event that can be stored: events are values; pass typeregistry_test.opened, not *typeregistry_test.opened"},
		{embeds{}, "typeregistry_test.embeds", "typeregistry_test.embeds is not an event that can be stored: it only embeds the event typeregistry_test.opened; pass that, or make typeregistry_test.embeds an event of its own"},
		{embedsPointer{}, "typeregistry_test.embedsPointer", "typeregistry_test.embedsPointer is not an event that can be stored: it only embeds the event typeregistry_test.deposited; pass that, or make typeregistry_test.embedsPointer an event of its own"},
		{stranger{}, "typeregistry_test.stranger", "typeregistry_test.stranger is not an event that can be stored: it is not registered; pass an event of this family, or mark it as one and generate again"},
		{7, "int", "int is not an event that can be stored: it is not registered; pass an event of this family, or mark it as one and generate again"},
	} {
		_, err := r.ByValue(c.value)
		foreign, ok := errors.AsType[*typeregistry.ForeignTypeError](err)
		if !ok || foreign.GoType != c.goType || err.Error() != c.text {
			t.Errorf("%T:\n got %v\nwant %s", c.value, err, c.text)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		types []typeregistry.Type
		text  string
	}{
		"zero type":      {[]typeregistry.Type{{}}, `register nil as "" revision 0: the zero Type; make types with typeregistry.Of`},
		"empty name":     {[]typeregistry.Type{typeregistry.Of(opened{}, "", 1)}, `register typeregistry_test.opened as "" revision 1: the stored name is empty; events are found by it for ever`},
		"revision 0":     {[]typeregistry.Type{typeregistry.Of(opened{}, "o", 0)}, `register typeregistry_test.opened as "o" revision 0: revisions begin at 1`},
		"pointer":        {[]typeregistry.Type{typeregistry.Of(&opened{}, "o", 1)}, `register *typeregistry_test.opened as "o" revision 1: a pointer; events are values, register typeregistry_test.opened`},
		"no event":       {[]typeregistry.Type{typeregistry.Of(nil, "o", 1)}, `register nil as "o" revision 1: there is no event; pass a value of its type`},
		"same name":      {[]typeregistry.Type{typeregistry.Of(opened{}, "o", 1), typeregistry.Of(deposited{}, "o", 1)}, `register typeregistry_test.deposited as "o" revision 1: that name and revision belong to typeregistry_test.opened; give one of them another name, or raise the revision`},
		"same Go type":   {[]typeregistry.Type{typeregistry.Of(opened{}, "o", 1), typeregistry.Of(opened{}, "p", 1)}, `register typeregistry_test.opened as "p" revision 1: the Go type is registered as "o" revision 1; define a second type for the second name`},
		"the same twice": {[]typeregistry.Type{typeregistry.Of(opened{}, "o", 1), typeregistry.Of(opened{}, "o", 1)}, `register typeregistry_test.opened as "o" revision 1: that name and revision belong to typeregistry_test.opened; give one of them another name, or raise the revision`},
	} {
		r, err := typeregistry.New(c.types...)
		if r != nil || err == nil || err.Error() != c.text {
			t.Errorf("%s:\n got %v\nwant %s", name, err, c.text)
		}
	}
	_, err := typeregistry.New(typeregistry.Of(opened{}, "o", 1), typeregistry.Of(deposited{}, "o", 1))
	if duplicate, ok := errors.AsType[*typeregistry.DuplicateError](err); !ok || duplicate.First.GoType() != reflect.TypeFor[opened]() || duplicate.Second.GoType() != reflect.TypeFor[deposited]() {
		t.Errorf("a duplicate does not name both types: %v", err)
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("Must did not panic")
			}
		}()
		typeregistry.Must(typeregistry.Type{})
	}()
}

func TestDecode(t *testing.T) {
	t.Parallel()
	typ, err := bank(t).ByName("bank.deposited", 3)
	if err != nil {
		t.Fatal(err)
	}
	got, err := typ.Decode(func(dst any) error { return json.Unmarshal([]byte(`{"Amount":7}`), dst) })
	if err != nil || got != any(deposited{7}) {
		t.Errorf("got %#v, %v", got, err)
	}
	// Every call has a fresh value: nothing of the last one shows through.
	got, err = typ.Decode(func(any) error { return nil })
	if err != nil || got != any(deposited{}) {
		t.Errorf("got %#v, %v", got, err)
	}
	boom := errors.New("boom")
	got, err = typ.Decode(func(dst any) error {
		dst.(*deposited).Amount = 1
		return boom
	})
	if got != nil || !errors.Is(err, boom) {
		t.Errorf("a failed decode returned %#v, %v", got, err)
	}
	if _, err := (typeregistry.Type{}).Decode(func(any) error { return nil }); err == nil {
		t.Error("the zero Type decoded something")
	}
}

func TestImmutable(t *testing.T) {
	t.Parallel()
	types := []typeregistry.Type{typeregistry.Of(opened{}, "o", 1)}
	r, err := typeregistry.New(types...)
	if err != nil {
		t.Fatal(err)
	}
	types[0] = typeregistry.Of(deposited{}, "p", 1)
	r.Names()[0] = "changed"
	if names := r.Names(); names[0] != "o" {
		t.Errorf("names are %v", names)
	}
	for typ := range r.Types() {
		if typ.Name() != "o" {
			t.Errorf("types hold %s", typ.Name())
		}
	}
}

func TestZeroRegistry(t *testing.T) {
	t.Parallel()
	var r typeregistry.Registry
	if _, err := r.ByName("x", 1); err == nil {
		t.Error("found a name")
	}
	if _, err := r.ByValue(opened{}); err == nil {
		t.Error("found a value")
	}
	if len(r.Names()) != 0 {
		t.Error("has names")
	}
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	r := bank(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				if _, err := r.ByName("bank.opened", 1); err != nil {
					t.Error(err)
				}
				if _, err := r.ByValue(deposited{}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

func TestLookupsDoNotAllocate(t *testing.T) {
	// Not parallel: AllocsPerRun counts the whole process.
	r := bank(t)
	var event any = deposited{7}
	name := string([]byte("bank.opened"))
	if n := testing.AllocsPerRun(100, func() { _, _ = r.ByName(name, 1) }); n != 0 {
		t.Errorf("ByName allocates %v times", n)
	}
	if n := testing.AllocsPerRun(100, func() { _, _ = r.ByValue(event) }); n != 0 {
		t.Errorf("ByValue allocates %v times", n)
	}
}

func BenchmarkByName(b *testing.B) {
	r := bank(b)
	name := string([]byte("bank.deposited"))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.ByName(name, 3); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkByValue(b *testing.B) {
	r := bank(b)
	var event any = deposited{7}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.ByValue(event); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	typ, err := bank(b).ByName("bank.deposited", 3)
	if err != nil {
		b.Fatal(err)
	}
	unmarshal := func(dst any) error {
		*dst.(*deposited) = deposited{1000}
		return nil
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := typ.Decode(unmarshal); err != nil {
			b.Fatal(err)
		}
	}
}
