package serializer_test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"reflect"
	"testing"

	"github.com/esgen/esgen/runtime/serializer"
	"github.com/esgen/esgen/runtime/serializer/serializertest"
)

type AccountOpened struct {
	Owner    string `json:"owner"`
	Currency string `json:"currency"`
}

func Example() {
	formats := serializer.Default()
	json, err := formats.Get("json")
	if err != nil {
		fmt.Println(err)
		return
	}
	data, err := json.Marshal(AccountOpened{Owner: "ada", Currency: "EUR"})
	fmt.Println(string(data), err)

	var opened AccountOpened
	err = json.Unmarshal(data, &opened)
	fmt.Println(opened, err)

	_, err = json.Marshal(AccountOpened{Owner: "ada\x00"})
	fmt.Println(err)
	// Output:
	// {"owner":"ada","currency":"EUR"} <nil>
	// {ada EUR} <nil>
	// encode serializer_test.AccountOpened as json: field owner: contains U+0000, which databases cannot store
}

// XML is a format of one's own.
type XML struct{}

func (XML) Format() string { return "xml" }

func (XML) Marshal(v any) ([]byte, error) {
	if p := reflect.ValueOf(v); !p.IsValid() || p.Kind() == reflect.Pointer && p.IsNil() {
		return nil, errors.New("encode xml: there is no event")
	}
	return xml.Marshal(v)
}

func (XML) Unmarshal(data []byte, v any) error { return xml.Unmarshal(data, v) }

func ExampleSet_With() {
	formats := serializer.Default().With(XML{})
	fmt.Println(formats.Formats())
	// Output: [json jsonb msgpack xml]
}

func TestOwnFormat(t *testing.T) {
	t.Parallel()
	serializertest.Run(t, XML{}, &AccountOpened{}, AccountOpened{Owner: "ada", Currency: "EUR"})
}
