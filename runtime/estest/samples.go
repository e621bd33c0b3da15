package estest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/esgen/esgen/runtime/serializer"
	"github.com/esgen/esgen/runtime/typeregistry"
)

// samplesVariable asks Samples to write what is missing, for esgen check -update.
const samplesVariable = "ESGEN_SAMPLES"

// Samples decodes the files name@revision.json in dir, each an event as JSON stored
// it, through the upcasters. It fails tb for one that is unknown, does not decode, or
// loses a value on the way, and for an event of the types that has no sample. Names
// are escaped as in URLs.
//
// esgen check -update writes the samples and the test that calls this. A revision that
// only an upcaster reads gets one if the upcaster takes it. A sample of an event that
// it cannot make, because a type refuses what it is filled with, is written by hand.
func Samples(tb testing.TB, dir string, types ...*typeregistry.Registry) {
	tb.Helper()
	write := os.Getenv(samplesVariable) == "write"
	for _, registry := range types {
		for t := range registry.Types() {
			if t.IsGone() {
				continue
			}
			path := filepath.Join(dir, sampleName(t.Name(), t.Revision()))
			_, err := os.Stat(path)
			switch {
			case err == nil, t.IsUpcast() && !write:
			case !errors.Is(err, fs.ErrNotExist):
				tb.Error(err)
			case !write:
				tb.Errorf("%s: there is no sample of %s revision %d: run esgen check -update", path, t.Name(), t.Revision())
			default:
				// An upcaster may refuse what nobody has stored.
				if err := writeSample(path, t); err != nil && !t.IsUpcast() {
					tb.Errorf("%s: a sample of %s revision %d could not be made: %v; write one by hand", path, t.Name(), t.Revision(), err)
				}
			}
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		tb.Error(err)
	}
	for _, path := range files {
		if err := readSample(path, types); err != nil {
			tb.Errorf("%s: %v", path, err)
		}
	}
}

var escape = strings.NewReplacer("%", "%25", "/", "%2F", ":", "%3A", "@", "%40")

func sampleName(name string, revision int) string {
	return escape.Replace(name) + "@" + strconv.Itoa(revision) + ".json"
}

var unescape = strings.NewReplacer("%25", "%", "%2F", "/", "%3A", ":", "%40", "@")

func readSample(path string, types []*typeregistry.Registry) error {
	base := strings.TrimSuffix(filepath.Base(path), ".json")
	name, number, ok := strings.Cut(base, "@")
	revision, err := strconv.Atoi(number)
	if !ok || err != nil {
		return errors.New("its name is not that of a sample: write name@revision.json")
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var last error
	for _, registry := range types {
		t, err := registry.ByName(unescape.Replace(name), revision)
		if err != nil {
			last = err
			continue
		}
		return decodeSample(t, data)
	}
	return last
}

// decodeSample also holds what an event is encoded as again against the sample: a
// value that got lost on the way would be lost of stored events, too.
func decodeSample(t typeregistry.Type, data []byte) error {
	if t.IsGone() {
		return nil
	}
	format := serializer.JSON{}
	var again []byte
	_, err := t.Decode(func(dst any) error {
		if err := format.Unmarshal(data, dst); err != nil {
			return err
		}
		var err error
		again, err = format.Marshal(reflect.ValueOf(dst).Elem().Interface())
		return err
	})
	if err != nil || t.IsUpcast() {
		return err // an upcaster reads what it needs
	}
	var was, is any
	if err := errors.Join(unmarshalNumbers(data, &was), unmarshalNumbers(again, &is)); err != nil {
		return err
	}
	if err := lost("", was, is); err != nil {
		return fmt.Errorf("%w; if esgen check -accept has it so, remove this file, and -update writes it as it is now", err)
	}
	return nil
}

func unmarshalNumbers(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	return d.Decode(into)
}

// lost finds what is in was and not in is.
func lost(path string, was, is any) error {
	switch was := was.(type) {
	case map[string]any:
		object, ok := is.(map[string]any)
		if !ok {
			return fmt.Errorf("%s is %v after it was read, was an object", or(path), is)
		}
		for name, value := range was {
			if _, ok := object[name]; !ok && value != nil {
				return fmt.Errorf("%s is lost when it is read", or(path+"."+name))
			}
			if err := lost(path+"."+name, value, object[name]); err != nil {
				return err
			}
		}
	case []any:
		list, ok := is.([]any)
		if !ok || len(list) != len(was) {
			return fmt.Errorf("%s has other elements after it was read", or(path))
		}
		for i := range was {
			if err := lost(path+"["+strconv.Itoa(i)+"]", was[i], list[i]); err != nil {
				return err
			}
		}
	default:
		if was != is {
			return fmt.Errorf("%s is %v after it was read, was %v", or(path), is, was)
		}
	}
	return nil
}

func or(path string) string {
	if path == "" {
		return "the event"
	}
	return strings.TrimPrefix(path, ".")
}

func writeSample(path string, t typeregistry.Type) error {
	var data []byte
	_, err := t.Decode(func(dst any) error {
		fill(reflect.ValueOf(dst).Elem(), 0)
		var err error
		data, err = serializer.JSON{}.Marshal(reflect.ValueOf(dst).Elem().Interface())
		return err
	})
	if err != nil {
		return err
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, data, "", "  "); err != nil {
		return err
	}
	indented.WriteByte('\n')
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, indented.Bytes(), 0o644)
}
