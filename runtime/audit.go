package runtime

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/esgen/esgen/internal/printable"
	"github.com/esgen/esgen/runtime/serializer"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/typeregistry"
)

// AuditConfig says what [Audit] looks at. The zero value decodes every event of the
// store.
type AuditConfig struct {
	// Categories are the families whose streams are read.
	//
	// Defaults to all.
	Categories []string
	// Sample is how many events of each type, revision and format are decoded; the
	// others are counted only. Negative decodes none.
	//
	// Defaults to all.
	Sample int
	// Formats are added to those of [serializer.Default], as for [NewFamily].
	//
	// Defaults to none.
	Formats []serializer.Serializer
	// Progress is called about every 10 000 events with the position reached and the
	// newest one that was there when the audit began.
	//
	// Defaults to none.
	Progress func(at, newest store.Position)
}

// AuditReport is what [Audit] has found.
type AuditReport struct {
	// Events are how many were read, Decoded how many of them decoded.
	Events, Decoded int64
	// Counts are by type, revision and format, sorted.
	Counts []AuditCount
}

// AuditCount is what was found of one type, revision and format.
type AuditCount struct {
	Type     string
	Revision int
	Format   store.Format
	// Events are how many there are, Decoded how many were decoded, Gone how many of
	// these are no longer events, Failed how many could not be.
	Events, Decoded, Gone, Failed int64
	// Err is what is wrong with all of them, or with the first that failed: an
	// [*typeregistry.UnknownTypeError] for a type or revision that the program does
	// not know, or why the event at Stream and Version did not decode.
	Err      error
	Stream   string
	Version  store.Version
	Position store.Position
}

// Err is nil if the program can read all that was looked at. Otherwise it says what
// it cannot, and how much of it there is.
func (r AuditReport) Err() error {
	var errs []error
	for _, c := range r.Counts {
		if c.Err != nil {
			errs = append(errs, fmt.Errorf("%d of %d events %s revision %d (%s) cannot be read, the first is version %d of %s at position %d: %w",
				c.Failed, c.Events, printable.Name(c.Type), c.Revision, c.Format, int64(c.Version), printable.Name(c.Stream), c.Position, c.Err))
		}
	}
	return errors.Join(errs...)
}

// Audit reads the events of db and holds types against them: does the program know
// every stored type and revision, and does what is stored decode, through the
// upcasters? It writes nothing. The error is that of reading, with what was counted
// so far; what the program cannot read is told by the report.
//
//	report, err := es.Audit(ctx, db, bank.Types, es.AuditConfig{Categories: []string{"bank"}})
func Audit(ctx context.Context, db store.Streams, types *typeregistry.Registry, c AuditConfig) (AuditReport, error) {
	switch {
	case db == nil:
		return AuditReport{}, &store.InvalidError{What: "audit", Reason: "the store is nil"}
	case types == nil:
		return AuditReport{}, &store.InvalidError{What: "audit", Reason: "no types; pass the generated Types"}
	}
	a := auditor{types: types, sample: c.Sample, formats: serializer.Default(), counts: make(map[auditKey]*AuditCount)}
	for _, f := range c.Formats {
		a.formats = a.formats.With(f)
	}
	var newest store.Position
	if c.Progress != nil {
		for r, err := range db.Read(ctx, store.Query{Categories: c.Categories, Backward: true, Limit: 1}) {
			if err != nil {
				return a.report(), fmt.Errorf("audit: %w", err)
			}
			newest = r.Position
		}
	}
	for r, err := range db.Read(ctx, store.Query{Categories: c.Categories}) {
		if err != nil {
			return a.report(), fmt.Errorf("audit: %w", err)
		}
		a.look(r)
		if c.Progress != nil && a.events%10_000 == 0 {
			c.Progress(r.Position, newest)
		}
	}
	return a.report(), nil
}

type auditKey struct {
	name     string
	revision int
	format   store.Format
}

type auditor struct {
	types   *typeregistry.Registry
	formats serializer.Set
	sample  int
	events  int64
	counts  map[auditKey]*AuditCount
}

func (a *auditor) look(r store.Recorded) {
	a.events++
	key := auditKey{r.Type, r.Revision, r.Format}
	c := a.counts[key]
	if c == nil {
		// A copy: a page's texts must not be kept for the whole audit.
		key.name = strings.Clone(key.name)
		c = &AuditCount{Type: key.name, Revision: r.Revision, Format: r.Format}
		a.counts[key] = c
	}
	c.Events++
	t, err := a.types.ByName(r.Type, r.Revision)
	switch {
	case err == nil && (a.sample < 0 || a.sample > 0 && c.Decoded+c.Failed >= int64(a.sample)):
		return
	case err == nil && t.IsGone():
		c.Decoded++
		c.Gone++
		return
	}
	var event any
	if err == nil {
		event, err = a.decode(t, r)
	}
	switch {
	case err == nil && event == nil:
		c.Gone++
		fallthrough
	case err == nil:
		c.Decoded++
		return
	case c.Err == nil:
		c.Err, c.Stream, c.Version, c.Position = err, strings.Clone(origin(r)), r.Version, r.Position
	}
	c.Failed++
}

func (a *auditor) decode(t typeregistry.Type, r store.Recorded) (any, error) {
	s, err := a.formats.Get(string(r.Format))
	if err != nil {
		return nil, err
	}
	return t.Decode(func(dst any) error { return s.Unmarshal(r.Data, dst) })
}

func (a *auditor) report() AuditReport {
	r := AuditReport{Events: a.events, Counts: make([]AuditCount, 0, len(a.counts))}
	for _, c := range a.counts {
		r.Decoded += c.Decoded
		r.Counts = append(r.Counts, *c)
	}
	slices.SortFunc(r.Counts, func(a, b AuditCount) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Revision, b.Revision), cmp.Compare(a.Format, b.Format))
	})
	return r
}
