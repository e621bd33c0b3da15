package runtime_test

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/internal/bank"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
)

func TestMetadataMergesAndStreamsShareNothing(t *testing.T) {
	t.Parallel()
	onEveryStore(t, func(t *testing.T, db store.Store) {
		given := es.Metadata{"user": "ada", "tenant": "t1", "deep": map[string]any{"n": 1}}
		base := bank.StreamOf(db, "a").With(given)
		given["user"] = "changed afterwards"
		left := base.With(es.Metadata{"user": "bob"}, es.Metadata{"trace": "x<&>y"})
		right := base.With(es.Metadata{})
		for i, c := range []struct {
			stream bank.Stream
			want   map[string]string
		}{
			{bank.StreamOf(db, "a"), map[string]string{"user": ""}},
			{base, map[string]string{"user": "ada", "tenant": "t1", "trace": ""}},
			{left, map[string]string{"user": "bob", "tenant": "t1", "trace": "x<&>y"}},
			{right, map[string]string{"user": "ada", "tenant": "t1", "trace": ""}},
		} {
			a := stored(t)(c.stream.Append(t.Context(), store.Any, bank.AccountOpened{}))
			got, err := collect(c.stream.Read(t.Context(), a.Version))
			if err != nil {
				t.Fatal(err)
			}
			for key, want := range c.want {
				if value := got[0].Metadata.Get(key); value != want {
					t.Errorf("stream %d: %s is %q, want %q, in %s", i, key, value, want, got[0].Metadata)
				}
			}
		}
	})
}

func TestMetadataTakesWhatJSONTakes(t *testing.T) {
	t.Parallel()
	db := memory.New(memory.Config{})
	id := uuid.New()
	acct := bank.StreamOf(db, "a").With(es.Metadata{
		"request": id, "at": time.Unix(0, 0).UTC(), "roles": []string{"teller"}, "raw": json.RawMessage(`{"a":1}`), "n": int64(math.MaxInt64),
	})
	stored(t)(acct.Append(t.Context(), store.NoStream, bank.AccountOpened{}))
	got, err := collect(acct.Read(t.Context(), 0))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"at":"1970-01-01T00:00:00Z","n":9223372036854775807,"raw":{"a":1},"request":"` + id.String() + `","roles":["teller"]}`
	if got[0].Metadata.String() != want {
		t.Errorf("metadata is %s, want %s", got[0].Metadata, want)
	}
}

func TestSettingsThatCannotHoldAreErrorsOfTheFirstCall(t *testing.T) {
	t.Parallel()
	db := memory.New(memory.Config{})
	id := uuid.New()
	for _, c := range []struct {
		settings []es.Setting
		words    string
	}{
		{[]es.Setting{es.Key("")}, "setting es.Key: empty"},
		{[]es.Setting{es.Key("k"), es.EventIDs(id)}, "setting es.Key: given together with es.EventIDs"},
		{[]es.Setting{es.EventIDs(id), es.Key("k")}, "setting es.Key: given together with es.EventIDs"},
		{[]es.Setting{es.EventIDs()}, "setting es.EventIDs: no ids"},
		{[]es.Setting{es.EventIDs(uuid.Nil)}, "setting es.EventIDs: one is the nil UUID"},
		{[]es.Setting{es.Correlation(uuid.Nil)}, "setting es.Correlation: the nil UUID"},
		{[]es.Setting{es.Causation(uuid.Nil)}, "setting es.Causation: the nil UUID"},
		{[]es.Setting{es.At{}}, "setting es.At: the zero time"},
		{[]es.Setting{es.Retries(-1)}, "setting es.Retries: -1 is negative"},
		{[]es.Setting{es.Metadata{"f": func() {}}}, `setting es.Metadata: value of "f"`},
		{[]es.Setting{es.Metadata{"user": "\xff"}}, `setting es.Metadata: value of "user": holds invalid UTF-8`},
		{[]es.Setting{nil}, "bank-a: setting: nil"},
		{[]es.Setting{es.Key(""), es.At{}}, "setting es.At: the zero time"},
	} {
		t.Run(c.words, func(t *testing.T) {
			t.Parallel()
			acct := bank.StreamOf(db, "a").With(c.settings...)
			_, appendErr := acct.Append(t.Context(), store.Any, bank.AccountOpened{})
			_, executeErr := acct.Execute(t.Context(), bank.Open("ada", "EUR"))
			_, readErr := collect(acct.Read(t.Context(), 0))
			for call, err := range map[string]error{"append": appendErr, "execute": executeErr, "read": readErr} {
				if !errors.Is(err, store.ErrInvalid) || !strings.Contains(err.Error(), c.words) || !strings.Contains(err.Error(), "bank-a") {
					t.Errorf("%s: %v; want %q in it", call, err, c.words)
				}
			}
		})
	}
	t.Cleanup(func() {
		if _, err := db.StreamInfo(t.Context(), "bank-a"); err == nil {
			t.Error("stored nevertheless")
		}
	})
}

func TestEventIDsAreOneForEachEvent(t *testing.T) {
	t.Parallel()
	onEveryStore(t, func(t *testing.T, db store.Store) {
		ctx := t.Context()
		ids := []uuid.UUID{uuid.New(), uuid.New()}
		given := slices.Clone(ids)
		acct := bank.StreamOf(db, "a").With(es.EventIDs(given...))
		clear(given) // the caller's own, to do with as it likes
		_, err := acct.Append(ctx, store.Any, bank.AccountOpened{})
		if !errors.Is(err, store.ErrInvalid) || !strings.Contains(err.Error(), "2 ids for 1 events to append to bank-a") {
			t.Errorf("one event: %v", err)
		}
		first := stored(t)(acct.Append(ctx, store.NoStream, deposits(1)...))
		again := stored(t)(acct.Append(ctx, store.NoStream, deposits(1)...))
		first.Duplicate = true
		if again != first {
			t.Errorf("again: %+v, want %+v", again, first)
		}
		_, err = bank.StreamOf(db, "b").With(es.EventIDs(ids[1])).Append(ctx, store.Any, bank.AccountOpened{})
		if e, ok := errors.AsType[*store.DuplicateEventError](err); !ok || e.ID != ids[1] {
			t.Errorf("elsewhere: %v", err)
		}
	})
}

func TestAtIsTheTimeOfEveryEvent(t *testing.T) {
	t.Parallel()
	clock := time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)
	db := memory.New(memory.Config{Now: func() time.Time { return clock }})
	past := time.Date(1999, 12, 31, 23, 59, 59, 999, time.UTC)
	stored(t)(bank.StreamOf(db, "a").With(es.At(past)).Append(t.Context(), store.NoStream, deposits(1)...))
	stored(t)(bank.StreamOf(db, "a").Append(t.Context(), 2, bank.MoneyDeposited{}))
	if _, err := es.Atomic(t.Context(), db, appending("a", bank.MoneyDeposited{})); err != nil {
		t.Fatal(err)
	}
	got, err := collect(bank.StreamOf(db, "a").Read(t.Context(), 0))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []time.Time{past.Truncate(time.Microsecond), past.Truncate(time.Microsecond), clock, clock} {
		if !got[i].Time.Equal(want) {
			t.Errorf("event %d is of %s, want %s", i+1, got[i].Time, want)
		}
	}
}
