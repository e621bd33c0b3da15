package runtime_test

import (
	"context"
	"errors"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/internal/bank"
	"github.com/esgen/esgen/runtime/serializer"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
	"github.com/esgen/esgen/runtime/typeregistry"
)

func TestReadYieldsWhatWasAppendedWithItsMeta(t *testing.T) {
	t.Parallel()
	onEveryStore(t, func(t *testing.T, db store.Store) {
		ctx := t.Context()
		correlation, causation := uuid.New(), uuid.New()
		ids := []uuid.UUID{uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7())}
		noon := time.Date(2024, 5, 1, 12, 0, 0, 123456789, time.FixedZone("there", 7200))
		acct := bank.StreamOf(db, "a-17")

		stored(t)(bank.StreamOf(db, "other").Append(ctx, store.NoStream, bank.AccountOpened{Owner: "bob"}))
		a, err := acct.With(
			es.Metadata{"user": "ada", "n": 1}, es.Correlation(correlation), es.Causation(causation), es.At(noon), es.EventIDs(ids...),
		).Append(ctx, store.NoStream, bank.AccountOpened{Owner: "ada", Currency: "EUR"}, bank.MoneyDeposited{Amount: 50_00, By: "bob"})
		if want := (store.Appended{Stream: "bank-a-17", Version: 2, First: 2, Last: 3}); err != nil || a != want {
			t.Fatalf("append: %+v, %v; want %+v", a, err, want)
		}

		got, err := collect(acct.Read(ctx, 0))
		if err != nil {
			t.Fatal(err)
		}
		meta := bank.Meta{
			ID: "a-17", EventID: ids[0], Stream: "bank-a-17", Version: 1, Position: 2,
			Type: bank.AccountOpenedName, Revision: 1, Time: noon.UTC().Truncate(time.Microsecond),
			Correlation: correlation, Causation: causation,
			OriginalStream: "bank-a-17", OriginalVersion: 1, Format: db.Format(),
		}
		second := meta
		second.EventID, second.Version, second.OriginalVersion, second.Position = ids[1], 2, 2, 3
		second.Type, second.Revision = bank.MoneyDepositedName, 2
		want := []bank.Recorded{
			{Meta: meta, Event: bank.AccountOpened{Owner: "ada", Currency: "EUR"}},
			{Meta: second, Event: bank.MoneyDeposited{Amount: 50_00, By: "bob"}},
		}
		for i, r := range got {
			if r.Metadata.Get("user") != "ada" || strings.Count(r.Metadata.String(), ":") != 2 {
				t.Errorf("metadata of event %d: %s", i+1, r.Metadata)
			}
			got[i].Metadata = nil
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("read (-want +got):\n%s", diff)
		}
	})
}

func TestReadBeginsAtTheVersionAsked(t *testing.T) {
	t.Parallel()
	onEveryStore(t, func(t *testing.T, db store.Store) {
		ctx := t.Context()
		acct := bank.StreamOf(db, "a")
		stored(t)(acct.Append(ctx, store.Any, deposits(1, 2, 3)...))
		for from, want := range map[store.Version]int{0: 4, 1: 4, 2: 3, 4: 1, 5: 0, 99: 0} {
			got, err := collect(acct.Read(ctx, from))
			if err != nil || len(got) != want {
				t.Errorf("from %d: %d events, %v; want %d", from, len(got), err, want)
			}
		}
		if _, err := collect(acct.Read(ctx, -1)); !errors.Is(err, store.ErrInvalid) {
			t.Errorf("from -1: %v", err)
		}
		for r, err := range acct.Read(ctx, 2) {
			if err != nil || r.Version != 2 {
				t.Fatalf("version %d, %v", r.Version, err)
			}
			break
		}
	})
}

func TestReadOfAStreamWithoutEventsIsNotFound(t *testing.T) {
	t.Parallel()
	onEveryStore(t, func(t *testing.T, db store.Store) {
		_, err := collect(bank.StreamOf(db, "nobody").Read(t.Context(), 0))
		if e, ok := errors.AsType[*store.StreamNotFoundError](err); !ok || e.Stream != "bank-nobody" {
			t.Errorf("read: %v", err)
		}
		state, version, err := bank.StreamOf(db, "nobody").Load(t.Context())
		if state != (bank.Account{}) || version != store.NoStream || err != nil {
			t.Errorf("load: %+v, %v, %v; want the zero account, version 0", state, version, err)
		}
	})
}

func TestAppendExpectsAVersion(t *testing.T) {
	t.Parallel()
	onEveryStore(t, func(t *testing.T, db store.Store) {
		ctx := t.Context()
		acct := bank.StreamOf(db, "a")
		if _, err := acct.Append(ctx, 1, deposits()...); !errors.Is(err, store.ErrConflict) {
			t.Errorf("version 1 of no stream: %v", err)
		}
		if _, err := acct.Append(ctx, store.NoStream, deposits(5)...); err != nil {
			t.Fatal(err)
		}
		_, err := acct.Append(ctx, 1, bank.MoneyDeposited{Amount: 1})
		if e, ok := errors.AsType[*store.ConflictError](err); !ok || *e != (store.ConflictError{Op: "append to", Stream: "bank-a", Expected: 1, Actual: 2}) {
			t.Errorf("version 1 of 2: %v", err)
		}
		if a, err := acct.Append(ctx, store.StreamExists, bank.MoneyDeposited{Amount: 1}); err != nil || a.Version != 3 {
			t.Errorf("stream exists: %+v, %v", a, err)
		}
	})
}

type embedding struct{ bank.AccountOpened }

type foreign struct{ bank.Event }

func TestAppendRefusesWhatTheCompilerCannotSee(t *testing.T) {
	t.Parallel()
	db := memory.New(memory.Config{})
	good := bank.AccountOpened{Owner: "ada"}
	for _, c := range []struct {
		name   string
		event  bank.Event
		goType string
		words  string
	}{
		{"nil", nil, "nil", "event 2 of 3"},
		{"pointer", &good, "*bank.AccountOpened", "pass bank.AccountOpened, not *bank.AccountOpened"},
		{"nil pointer", (*bank.AccountOpened)(nil), "*bank.AccountOpened", "pass bank.AccountOpened"},
		{"embeds an event", embedding{good}, "runtime_test.embedding", "embeds the event bank.AccountOpened"},
		{"embeds a pointer", struct{ *bank.AccountOpened }{&good}, "struct { *bank.AccountOpened }", "embeds the event bank.AccountOpened"},
		{"foreign", foreign{good}, "runtime_test.foreign", "not registered"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := bank.StreamOf(db, "a").Append(t.Context(), store.Any, good, c.event, good)
			e, ok := errors.AsType[*es.EventError](err)
			if !ok || e.Stream != "bank-a" || e.Event != 2 || e.Of != 3 || !errors.Is(err, store.ErrInvalid) {
				t.Fatalf("append: %v", err)
			}
			f, ok := errors.AsType[*typeregistry.ForeignTypeError](err)
			if !ok || f.GoType != c.goType || !strings.Contains(err.Error(), c.words) || !strings.Contains(err.Error(), c.goType) {
				t.Errorf("append: %v; want %q and %q in it", err, c.goType, c.words)
			}
		})
	}
	t.Cleanup(func() {
		if all, err := collect(db.Read(context.Background(), store.Query{})); len(all) != 0 || err != nil {
			t.Errorf("stored nevertheless: %v, %v", all, err)
		}
	})
}

func TestAppendRefusesWhatTheFormatCannotKeep(t *testing.T) {
	t.Parallel()
	onEveryStore(t, func(t *testing.T, db store.Store) {
		_, err := bank.StreamOf(db, "a").Append(t.Context(), store.Any, bank.AccountOpened{Owner: "a\xffda"})
		e, ok := errors.AsType[*serializer.EncodeError](err)
		if !ok || !errors.Is(err, store.ErrInvalid) || e.Field != "owner" {
			t.Errorf("append: %v; want an error that names the field", err)
		}
	})
}

func TestAppendOfNothingIsAnError(t *testing.T) {
	t.Parallel()
	onEveryStore(t, func(t *testing.T, db store.Store) {
		_, err := bank.StreamOf(db, "a").Append(t.Context(), store.NoStream)
		if !errors.Is(err, store.ErrInvalid) || !strings.Contains(err.Error(), "append to bank-a: no events") {
			t.Errorf("append: %v", err)
		}
	})
}

func TestStreamsThatNameNoneAnswerWithAnError(t *testing.T) {
	t.Parallel()
	db := memory.New(memory.Config{})
	odd := es.NewFamily[string, bank.Event]("two-words", bank.Types, es.StringID[string]{})
	for _, c := range []struct {
		name   string
		stream es.Stream[string, bank.Event]
		words  string
	}{
		{"zero", es.Stream[string, bank.Event]{}, "the zero Stream names none"},
		{"no store", bank.Family.Stream(nil, "a"), "the store is nil"},
		{"nil family", (*es.Family[string, bank.Event])(nil).Stream(db, "a"), "family: nil"},
		{"empty id", bank.Family.Stream(db, ""), `id "" of family bank: its text is empty`},
		{"long id", bank.Family.Stream(db, strings.Repeat("x", store.MaxStreamBytes)), "1029 bytes long, at most 1024"},
		{"U+0000", bank.Family.Stream(db, "a\x00b"), `id "a\x00b" of family bank: stream name`},
		{"not UTF-8", bank.Family.Stream(db, "\xff"), "not valid UTF-8"},
		{"family with a dash", odd.Stream(db, "a"), `family "two-words": category "two-words": holds a dash`},
		{"no types", es.NewFamily[string, bank.Event]("x", nil, es.StringID[string]{}).Stream(db, "a"), `family "x": no types`},
		{"no ids", es.NewFamily[string, bank.Event]("x", bank.Types, nil).Stream(db, "a"), `family "x": no text form of ids`},
		{"nil format", es.NewFamily[string, bank.Event]("x", bank.Types, es.StringID[string]{}, nil).Stream(db, "a"), "a serializer is nil"},
		{"empty family", es.NewFamily[string, bank.Event]("", bank.Types, es.StringID[string]{}).Stream(db, "a"), `category: empty`},
		{"family of the store", es.NewFamily[string, bank.Event]("$x", bank.Types, es.StringID[string]{}).Stream(db, "a"), "belong to the store"},
		{"nil setting", bank.Family.Stream(db, "a").With(nil), "bank-a: setting"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			apply := func(*int, bank.Event) {}
			_, appendErr := c.stream.Append(ctx, store.Any, bank.AccountOpened{})
			_, readErr := collect(c.stream.Read(ctx, 0))
			_, _, loadErr := es.Load(ctx, c.stream, apply)
			_, executeErr := es.Execute(ctx, c.stream, apply, func(int) ([]bank.Event, error) { return deposits(), nil })
			for call, err := range map[string]error{"append": appendErr, "read": readErr, "load": loadErr, "execute": executeErr} {
				if !errors.Is(err, store.ErrInvalid) || !strings.Contains(err.Error(), c.words) {
					t.Errorf("%s: %v; want %q in it", call, err, c.words)
				}
				if len(err.Error()) > 250 || strings.Contains(err.Error(), "\n") {
					t.Errorf("%s: %q; want one line of at most 250 bytes", call, err)
				}
			}
		})
	}
}

func TestTheStoreDecidesOnTheFormatAndStoredEventsKeepTheirs(t *testing.T) {
	t.Parallel()
	db := memory.New(memory.Config{})
	ctx := t.Context()
	acct := bank.StreamOf(db, "a")
	formats := []store.Format{store.JSON, store.Msgpack, store.JSONB}
	for i, f := range formats {
		_, err := bank.StreamOf(formatted{db, f}, "a").Append(ctx, store.Version(i), bank.AccountOpened{Owner: string(f)})
		if err != nil {
			t.Fatal(err)
		}
	}
	got, err := collect(acct.Read(ctx, 0))
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range formats {
		if got[i].Format != f || got[i].Event != (bank.AccountOpened{Owner: string(f)}) {
			t.Errorf("event %d: %+v", i+1, got[i])
		}
	}

	_, err = bank.StreamOf(formatted{db, "protobuf"}, "a").Append(ctx, store.Any, bank.AccountOpened{})
	if e, ok := errors.AsType[*serializer.UnknownFormatError](err); !ok || e.Format != "protobuf" || !strings.Contains(err.Error(), "append to bank-a") {
		t.Errorf("unknown format: %v", err)
	}
}

type formatted struct {
	store.Store
	format store.Format
}

func (f formatted) Format() store.Format { return f.format }

// shout is a format of one's own.
type shout struct{ serializer.JSON }

func (shout) Format() string { return "shout" }

func TestAFamilyTakesFormatsOfOnesOwn(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	db := memory.New(memory.Config{Format: "shout"})
	family := es.NewFamily[string, bank.Event]("bank", bank.Types, es.StringID[string]{}, shout{})
	if _, err := family.Stream(db, "a").Append(ctx, store.Any, bank.AccountOpened{Owner: "ada"}); err != nil {
		t.Fatal(err)
	}
	got, err := collect(family.Stream(db, "a").Read(ctx, 0))
	if err != nil || got[0].Format != "shout" || got[0].Event != (bank.AccountOpened{Owner: "ada"}) {
		t.Errorf("read: %+v, %v", got, err)
	}
	_, err = collect(bank.StreamOf(db, "a").Read(ctx, 0))
	if e, ok := errors.AsType[*serializer.UnknownFormatError](err); !ok || e.Format != "shout" {
		t.Errorf("read without the format: %v", err)
	}
}

func TestErrorsOfTheStoreComeThrough(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	away := &store.UnavailableError{Op: "talk", Err: errors.New("connection refused")}
	db := wrapper{
		Store:  memory.New(memory.Config{}),
		append: func(context.Context, ...store.Batch) ([]store.Appended, error) { return nil, away },
		read: func(context.Context, store.Query) iter.Seq2[store.Recorded, error] {
			return func(yield func(store.Recorded, error) bool) { yield(store.Recorded{}, away) }
		},
	}
	acct := bank.StreamOf(db, "a")
	if _, err := acct.Append(ctx, store.Any, deposits()...); !errors.Is(err, away) || !store.Retryable(err) {
		t.Errorf("append: %v", err)
	}
	if _, err := collect(acct.Read(ctx, 0)); !errors.Is(err, away) {
		t.Errorf("read: %v", err)
	}
	if state, at, err := acct.Load(ctx); !errors.Is(err, away) || at != 0 || state != (bank.Account{}) {
		t.Errorf("load: %+v, %v, %v", state, at, err)
	}
	mute := wrapper{Store: memory.New(memory.Config{}), append: func(context.Context, ...store.Batch) ([]store.Appended, error) { return nil, nil }}
	if _, err := bank.StreamOf(mute, "a").Append(ctx, store.Any, deposits()...); err == nil {
		t.Error("a store that answers nothing: no error")
	}
}
