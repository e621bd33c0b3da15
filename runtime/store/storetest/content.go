package storetest

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
)

func contentCases() []contractCase {
	return []contractCase{
		{name: "data comes back to the byte in every format but jsonb", run: func(f *fixture) {
			given := map[store.Format]string{
				store.JSON:      "{ \"b\" : 1.50,\n\t\"a\":\"<ä𝄞\\u00e9>\" , \"a\":null}",
				store.Msgpack:   "\x81\xa1n\x00\xff\xfe",
				"acme.protobuf": "",
				"text":          "\x00 \\x41 'quoted'",
			}
			for format, data := range given {
				f.append("bank-1", store.Any, store.Event{Type: "t", Format: format, Data: []byte(data)})
			}
			read := f.exactly(len(given), "bank-1")
			for _, r := range read {
				f.equal("data as "+string(r.Format), given[r.Format], string(r.Data))
			}
		}},
		{name: "jsonb data comes back equal in meaning", run: func(f *fixture) {
			for i, data := range meanings {
				f.append("bank-1", store.Version(i), store.Event{Type: "t", Format: store.JSONB, Data: []byte(data)})
			}
			f.append("bank-1", store.Any, store.Event{Type: "t", Format: store.JSONB, Data: []byte(`"no object"`)})
			for i, r := range f.exactly(len(meanings)+1, "bank-1")[:len(meanings)] {
				f.equal("format", store.JSONB, r.Format)
				f.sameMeaning("data", []byte(meanings[i]), r.Data)
			}
		}},
		{name: "metadata comes back equal in meaning", run: func(f *fixture) {
			for i, text := range append([]string{""}, meanings...) {
				e := event(i)
				e.Metadata = store.Metadata(text)
				f.append("bank-1", store.Version(i), e)
			}
			read := f.exactly(1+len(meanings), "bank-1")
			f.equal("no metadata", 0, len(read[0].Metadata))
			for i, r := range read[1:] {
				f.sameMeaning("metadata", []byte(meanings[i]), r.Metadata)
			}
		}},
		{name: "an event of 1 MiB comes back whole", run: func(f *fixture) {
			data := make([]byte, 1<<20)
			random := rand.NewChaCha8([32]byte{1})
			_, _ = random.Read(data) // never fails
			f.append("bank-1", 0, event(1), store.Event{Type: "t", Format: store.Msgpack, Data: data}, event(3))
			if read := f.exactly(3, "bank-1"); !bytes.Equal(read[1].Data, data) {
				f.Fatalf("%d bytes came back as %d other ones", len(data), len(read[1].Data))
			}
		}},
		{name: "times are kept to the microsecond in UTC", run: keepsTimes},
		{name: "an event without a time gets one from the store's clock", run: func(f *fixture) {
			f.append("bank-1", 0, event(1))
			now := time.Now()
			r := f.stream("bank-1")[0]
			if off := now.Sub(r.Time).Abs(); off > time.Hour {
				f.Errorf("time %s is %s off the test's clock", r.Time, off)
			}
			f.equal("zone", "UTC", r.Time.Location().String())
			f.equal("precision", r.Time.Truncate(time.Microsecond), r.Time)
		}},
		{name: "ids are those given, or new ones of version 7", run: func(f *fixture) {
			given := event(1)
			given.ID = uuid.MustParse("ffffffff-ffff-ffff-ffff-fffffffffffe")
			f.append("bank-1", 0, given, event(2), event(3))
			read := f.exactly(3, "bank-1")
			f.equal("given id", given.ID, read[0].ID)
			for _, r := range read[1:] {
				f.equal("uuid version", uuid.Version(7), r.ID.Version())
			}
			if read[1].ID == read[2].ID {
				f.Errorf("two events have the id %s", read[1].ID)
			}
		}},
		{name: "the longest names and the highest revision are kept", run: func(f *fixture) {
			name := func(n int) string {
				return string(bytes.Repeat([]byte("ü"), n/2)) + string(bytes.Repeat([]byte("n"), n%2))
			}
			e := event(1)
			e.Type, e.Format, e.Revision = name(store.MaxNameBytes), store.Format(name(store.MaxNameBytes)), 1<<31-1
			stream := name(store.MaxStreamBytes)
			f.append(stream, store.NoStream, e)
			r := f.stream(stream)[0]
			f.equal("type", e.Type, r.Type)
			f.equal("format", e.Format, r.Format)
			f.equal("revision", e.Revision, r.Revision)
			f.equal("stream", stream, r.Stream)
		}},
		{name: "an event without a revision has revision 1", run: func(f *fixture) {
			f.append("bank-1", 0, event(1))
			f.equal("revision", 1, f.stream("bank-1")[0].Revision)
		}},
		{name: "what was appended and what was read belong to the caller", run: ownsNothing},
	}
}

// meanings are JSON objects that a careless store changes.
var meanings = []string{
	`{}`,
	`{"b": {"y": [1, "two", null, true, {}], "x": ""}, "a": -0.25}`,
	`{"": "empty key", "digits": 12345678901234567890, "fraction": 0.1234567890123456789}`,
	`{"text": "ä 𝄞 \" \\ / \n \u001f \u2028 <&>", "\u00e9": "\ud834\udd1e"}`,
}

func (f *fixture) sameMeaning(what string, want, got []byte) {
	f.Helper()
	wanted, err := store.Metadata(want).Map()
	if err != nil {
		f.Fatalf("%s %s: %v", what, want, err)
	}
	have, err := store.Metadata(got).Map()
	if err != nil {
		f.Fatalf("%s %s came back as %s: %v", what, want, got, err)
	}
	f.equal(what, wanted, have)
}

func keepsTimes(f *fixture) {
	given := []time.Time{
		time.Date(2026, 3, 29, 2, 30, 0, 123_456_789, time.FixedZone("", 2*3600)),
		time.Date(1969, 12, 31, 23, 59, 59, 999_999_999, time.UTC),
		time.Date(1, 1, 2, 0, 0, 0, 1000, time.UTC),
		time.Date(9999, 12, 30, 23, 59, 59, 999_999_000, time.UTC),
	}
	for i, at := range given {
		e := event(i)
		e.Time = at
		f.append("bank-1", store.Version(i), e)
	}
	for i, r := range f.exactly(len(given), "bank-1") {
		want := given[i].UTC().Truncate(time.Microsecond)
		if !r.Time.Equal(want) || r.Time.Location() != time.UTC {
			f.Errorf("time %s came back as %s, want %s", given[i], r.Time, want)
		}
	}
}

func ownsNothing(f *fixture) {
	e := event(1)
	e.Metadata = store.Metadata(`{"user":"ada"}`)
	data, metadata := bytes.Clone(e.Data), bytes.Clone(e.Metadata)
	given := []store.Event{e, event(2)}
	f.append("bank-1", 0, given...)
	if given[0].ID != uuid.Nil || !given[0].Time.IsZero() {
		f.Errorf("Append changed the caller's events: %+v", given[0])
	}
	overwrite := func(b []byte) {
		for i := range b {
			b[i] = 'X'
		}
	}
	overwrite(e.Data)
	overwrite(e.Metadata)
	for range 2 {
		r := f.stream("bank-1")[0]
		f.equal("data", string(data), string(r.Data))
		f.sameMeaning("metadata", metadata, r.Metadata)
		overwrite(r.Data)
		overwrite(r.Metadata)
	}
	// Growing one event's data must not run into its neighbour's.
	read := f.exactly(2, "bank-1")
	_ = append(read[0].Data, "XXXXXXXXXXXXXXXX"...)
	_ = append(read[0].Metadata, "XXXXXXXXXXXXXXXX"...)
	f.equal("neighbour", []int{2}, carried(read[1:]))
}

// causeCases: what the context carries reaches the events.
func causeCases() []contractCase {
	return []contractCase{
		{name: "correlation and causation come from the context", run: func(f *fixture) {
			correlation, causation := uuid.New(), uuid.New()
			root := *f
			f.ctx = store.WithCause(f.ctx, correlation, causation)
			own := event(2)
			own.Correlation, own.Causation = uuid.New(), uuid.New()
			f.append("bank-1", 0, event(1), own)
			read := f.exactly(2, "bank-1")
			f.equal("from the context", [2]uuid.UUID{correlation, causation}, [2]uuid.UUID{read[0].Correlation, read[0].Causation})
			f.equal("the event's own", [2]uuid.UUID{own.Correlation, own.Causation}, [2]uuid.UUID{read[1].Correlation, read[1].Causation})
			root.append("bank-2", 0, event(3))
			f.equal("none", [2]uuid.UUID{}, [2]uuid.UUID{root.stream("bank-2")[0].Correlation, root.stream("bank-2")[0].Causation})
		}},
		{name: "what an event causes carries its id and its correlation", run: func(f *fixture) {
			f.append("bank-1", 0, event(1))
			first := f.stream("bank-1")[0]
			root := f.ctx
			f.ctx = store.CausedBy(root, first)
			f.append("bank-2", 0, event(2))
			second := f.stream("bank-2")[0]
			f.equal("second", [2]uuid.UUID{first.ID, first.ID}, [2]uuid.UUID{second.Correlation, second.Causation})
			f.ctx = store.CausedBy(root, second)
			f.append("bank-3", 0, event(3))
			third := f.stream("bank-3")[0]
			f.equal("third", [2]uuid.UUID{first.ID, second.ID}, [2]uuid.UUID{third.Correlation, third.Causation})
		}},
	}
}

// invalidCases: what no store takes.
func invalidCases() []contractCase {
	return []contractCase{
		{name: "invalid appends are refused", run: refusesInvalid},
		{name: "names in errors are on one line", run: namesOnOneLine},
		{name: "queries that contradict themselves are refused", run: func(f *fixture) {
			f.append("bank-1", 0, event(1))
			for _, q := range []store.Query{
				{Stream: "bank-1", Categories: []string{"bank"}},
				{Stream: "bank-1", FromPosition: 1},
				{FromVersion: 1},
				{Stream: "bank-1", FromVersion: -1},
				{Limit: -1},
				{Stream: store.All},
				{Stream: "bank-\x00"},
				{Stream: "bank-\xff"},
				{Categories: []string{"bank-1"}},
				{Categories: []string{"bank", ""}},
			} {
				read, err := collect(f.ctx, f.store, q)
				if !errors.Is(err, store.ErrInvalid) || len(read) > 0 {
					f.Errorf("Read(%+v) gave %d events and error %v, want an InvalidError", q, len(read), err)
				}
			}
		}},
	}
}

// namesOnOneLine: whoever may name a stream must not be able to forge a line of
// a log.
func namesOnOneLine(f *fixture) {
	const name = "bank-\n1\x1b"
	shown := func(op string, err error) {
		f.Helper()
		switch {
		case err == nil:
			f.Errorf("%s succeeded, want an error", op)
		case strings.ContainsAny(err.Error(), "\n\x1b"):
			f.Errorf("%s: the name is not quoted in %q", op, err)
		}
	}
	_, err := collect(f.ctx, f.store, store.Query{Stream: name})
	shown("Read of what is not there", err)
	f.append(name, 0, event(1))
	shown("Append that conflicts", f.refuse(batch(name, 0, event(2))))
	stored := f.exactly(1, name)[0]
	again := event(2)
	again.ID = stored.ID
	shown("Append of a duplicate", f.refuse(batch(name, 1, again)))
	shown("Append of nothing", f.refuse(batch(name, store.Any)))
	shown("Advance", f.store.Subscriptions().Advance(f.ctx, store.Move{Hold: store.Hold{Subscription: name}, To: 1}))
	_, err = f.store.Subscriptions().Find(f.ctx, name)
	shown("Find", err)
	for _, c := range ended(f) {
		shown("Append in a context that ended", f.refuseIn(c.ctx, batch(name, store.Any, event(2))))
		_, err := collect(c.ctx, f.store, store.Query{Stream: name})
		shown("Read in a context that ended", err)
		_, err = f.store.Subscriptions().Open(c.ctx, store.Subscription{Name: name, Lanes: make([]store.Lane, 1)})
		shown("Open in a context that ended", err)
	}
}

func refusesInvalid(f *fixture) {
	f.append("bank-1", 0, event(1))
	long := func(n int) string { return string(bytes.Repeat([]byte("n"), n)) }
	with := func(change func(*store.Event)) []store.Batch {
		e := event(2)
		change(&e)
		return []store.Batch{batch("bank-2", store.Any, event(1), e)}
	}
	twice := event(1)
	twice.ID = uuid.New()
	for what, batches := range map[string][]store.Batch{
		"no batches":           {},
		"no events":            {batch("bank-2", store.Any)},
		"one batch empty":      {batch("bank-2", store.Any, event(1)), batch("bank-3", store.Any)},
		"empty stream name":    {batch("", store.Any, event(1))},
		"$all":                 {batch(store.All, store.Any, event(1))},
		"$ first":              {batch("$x", store.Any, event(1))},
		"stream name too long": {batch(long(store.MaxStreamBytes+1), store.Any, event(1))},
		"stream U+0000":        {batch("bank-\x00", store.Any, event(1))},
		"stream not UTF-8":     {batch("bank-\xff", store.Any, event(1))},
		"meaningless version":  {batch("bank-2", -3, event(1))},
		"stream twice":         {batch("bank-2", store.Any, event(1)), batch("bank-2", store.Any, event(2))},
		"id twice":             {batch("bank-2", store.Any, twice, twice)},
		"no type":              with(func(e *store.Event) { e.Type = "" }),
		"type too long":        with(func(e *store.Event) { e.Type = long(store.MaxNameBytes + 1) }),
		"type U+0000":          with(func(e *store.Event) { e.Type = "a\x00" }),
		"type not UTF-8":       with(func(e *store.Event) { e.Type = "a\xff" }),
		"no format":            with(func(e *store.Event) { e.Format = "" }),
		"negative revision":    with(func(e *store.Event) { e.Revision = -1 }),
		"revision too high":    with(func(e *store.Event) { e.Revision = 1 << 31 }),
		"year 10000":           with(func(e *store.Event) { e.Time = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }),
		"too large":            with(func(e *store.Event) { e.Format, e.Data = store.Msgpack, make([]byte, store.MaxEventBytes+1) }),
		"JSON empty":           with(func(e *store.Event) { e.Data = nil }),
		"JSON broken":          with(func(e *store.Event) { e.Data = []byte(`{"a":`) }),
		"JSON not UTF-8":       with(func(e *store.Event) { e.Data = []byte("\"\xff\"") }),
		`JSON \u0000`:          with(func(e *store.Event) { e.Data = []byte(`{"a":"\u0000"}`) }),
		"JSON half surrogate":  with(func(e *store.Event) { e.Data = []byte(`{"a":"\ud834"}`) }),
		`JSONB \u0000`:         with(func(e *store.Event) { e.Format, e.Data = store.JSONB, []byte(`{"a":"\u0000"}`) }),
		"metadata broken":      with(func(e *store.Event) { e.Metadata = store.Metadata("{") }),
		"metadata no object":   with(func(e *store.Event) { e.Metadata = store.Metadata("[1]") }),
		`metadata \u0000`:      with(func(e *store.Event) { e.Metadata = store.Metadata(`{"a":"\u0000"}`) }),
	} {
		err := f.refuse(batches...)
		invalid, ok := as[*store.InvalidError](err)
		if !ok || !errors.Is(err, store.ErrInvalid) || store.Retryable(err) {
			f.Errorf("%s: %v (%T), want an InvalidError", what, err, err)
		} else if cmp.Equal(*invalid, store.InvalidError{}) {
			f.Errorf("%s: the error says nothing", what)
		}
	}
}
