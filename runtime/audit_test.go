package runtime_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/esgen/esgen/example/bank"
	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
	"github.com/esgen/esgen/runtime/typeregistry"
)

func audited(t *testing.T) *memory.Store {
	t.Helper()
	db := memory.New(memory.Config{})
	add := func(stream string, e store.Event) {
		if _, err := db.Append(t.Context(), store.Batch{Stream: stream, Expected: store.Any, Events: []store.Event{e}}); err != nil {
			t.Fatal(err)
		}
	}
	event := func(name string, revision int, data string) store.Event {
		return store.Event{Type: name, Revision: revision, Format: store.JSON, Data: []byte(data)}
	}
	for range 3 {
		add("bank-a", event(bank.AccountOpenedName, 1, `{"owner":"ada","currency":"EUR"}`))
	}
	add("bank-a", event(bank.AccountOpenedName, 1, `{"owner":7}`))
	add("bank-b", event(bank.AccountOpenedName, 9, `{}`))
	add("bank-b", event("bank.nonsense", 1, `{}`))
	add("card-a", event("card.opened", 1, `{}`))
	return db
}

func TestAuditTellsWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	report, err := es.Audit(t.Context(), audited(t), bank.Types, es.AuditConfig{
		Categories: []string{"bank"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if report.Events != 6 || report.Decoded != 3 || len(report.Counts) != 3 {
		t.Errorf("%+v", report)
	}
	opened := report.Counts[0]
	if opened.Type != bank.AccountOpenedName || opened.Revision != 1 || opened.Events != 4 || opened.Failed != 1 || opened.Version != 4 || opened.Stream != "bank-a" {
		t.Errorf("%+v", opened)
	}
	var unknown *typeregistry.UnknownTypeError
	if err := report.Counts[1].Err; !errors.As(err, &unknown) || unknown.Revision != 9 {
		t.Errorf("revision 9: %v", err)
	}
	if err := report.Err(); err == nil || !strings.Contains(err.Error(), "1 of 4 events bank.account_opened revision 1 (json) cannot be read, the first is version 4 of bank-a at position 4") {
		t.Errorf("%v", err)
	}
}

func TestAuditDecodesASample(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ sample, decoded, failed int }{{1, 1, 0}, {-1, 0, 0}, {0, 3, 1}} {
		report, err := es.Audit(t.Context(), audited(t), bank.Types, es.AuditConfig{Categories: []string{"bank"}, Sample: c.sample})
		if err != nil {
			t.Fatal(err)
		}
		opened := report.Counts[0]
		if opened.Events != 4 || int(opened.Decoded) != c.decoded || int(opened.Failed) != c.failed {
			t.Errorf("sample %d: %+v", c.sample, opened)
		}
		if report.Counts[1].Failed != 1 {
			t.Errorf("sample %d: what is unknown is told in any case: %+v", c.sample, report.Counts[1])
		}
	}
}

func TestAuditRefusesNothing(t *testing.T) {
	t.Parallel()
	if _, err := es.Audit(t.Context(), nil, bank.Types, es.AuditConfig{}); !errors.Is(err, store.ErrInvalid) {
		t.Error(err)
	}
	if _, err := es.Audit(t.Context(), memory.New(memory.Config{}), nil, es.AuditConfig{}); !errors.Is(err, store.ErrInvalid) {
		t.Error(err)
	}
}
