package lock

import "github.com/esgen/esgen/templates"

// Rule is one way in which a change can make stored events unreadable, or the
// programs of a rolling deploy misread each other.
type Rule struct {
	// ID is what is accepted, and stands in the output.
	ID string
	// Purpose is what the rule prevents.
	Purpose string
	// Warning: old events stay readable; the old program may misread new ones.
	Warning bool

	check func(*comparison) []Breach
}

// Rules that others build on.
const (
	fieldRemoved = "FIELD_REMOVED"
	fieldRenamed = "FIELD_RENAMED"
	fieldCase    = "FIELD_CASE"
)

// Rules lists all, in the order in which breaches are told.
func Rules() []Rule {
	return []Rule{
		{"EVENT_REMOVED", "a stored name or revision that nobody reads any more", false, removed},
		{"REVISION_LOWERED", "a revision that older events have already", false, lowered},
		{"CHAIN_MISSING", "a stored revision that no upcaster leads on from", false, chainMissing},
		{"NAME_REUSED", "a name that was retired, or another event's, given to other events", false, reused},
		{"RETIRED_REMOVED", "a retired name that is forgotten, and could be given again", false, forgotten},
		{"ALIAS_REMOVED", "events under an old name that nobody reads any more", false, aliasRemoved},
		{"FAMILY_CHANGED", "an event, or the ids of a family, that moved away from their streams", false, familyChanged},
		{"FORMATS_REMOVED", "formats of the package's own, in which events may be stored", false, formatsRemoved},
		{fieldRemoved, "a stored value that is lost when it is read", false, inFields(fieldRemoved)},
		{fieldRenamed, "a stored value that is lost, or read as another, because the field has another name", false, inFields(fieldRenamed)},
		{fieldCase, "a name that differs in case: programs find it, SQL does not", false, inFields(fieldCase)},
		{"FIELD_ADDED", "a field that old events lack, with nothing that tells so", false, inFields("FIELD_ADDED")},
		{"FIELD_REUSED", "a field by the name of one that was dropped, which old events may have", false, inFields("FIELD_REUSED")},
		{"FIELD_REQUIRED", "a field that old events may have left out or null", false, inFields("FIELD_REQUIRED")},
		{"KIND_CHANGED", "a stored value that does not fit what it is read into", false, inFields("KIND_CHANGED")},
		{"KIND_NARROWED", "a stored number that may be too large", false, inFields("KIND_NARROWED")},
		{"CUSTOM_CHANGED", "a value that its type writes itself, now of another type", false, inFields("CUSTOM_CHANGED")},
		{"QUOTED_CHANGED", "a number that is stored as a text, or no longer", false, inFields("QUOTED_CHANGED")},
		{"VALUE_REMOVED", "a stored value for which there is no constant any more", false, inFields("VALUE_REMOVED")},
		{"VALUE_MOVED", "a stored value that means something else, for its constant has another one", false, inFields("VALUE_MOVED")},
		{"MEMBER_REMOVED", "a stored member of a union that nobody reads any more, or as another", false, inFields("MEMBER_REMOVED")},
		{"UPCAST_SHAPE", "an upcaster that reads a stored revision as something else", false, upcastShape},
		{"VALUE_ADDED", "a value that the old program does not know during a deploy", true, inFields("VALUE_ADDED")},
		{"MEMBER_ADDED", "a member of a union that the old program cannot read during a deploy", true, inFields("MEMBER_ADDED")},
		{"FIELD_OPTIONAL", "a field that the old program expects during a deploy", true, inFields("FIELD_OPTIONAL")},
		{"OMIT_CHANGED", "a field that is left out now, or no longer", true, inFields("OMIT_CHANGED")},
		{"LOCK_STALE", "a lock that does not hold what is stored now", false, stale},
	}
}

// Breach is a rule that a change breaks.
type Breach struct {
	// Rule is its ID.
	Rule    string
	Warning bool
	// Where names the revision, and the field if there is one:
	// bank.deposited@1/amount.
	Where string
	// Text says what has changed, and what to do.
	Text string
	// At is the place in the source, without a file if there is none.
	At templates.Position
}

// Check holds what is stored now against what was locked. Breaches that current
// accepts are left out, and those that was has accepted before, unless they are in
// fields. current must be of the package, made with [Of]; written
// tells whether was is the file that is to hold current.
func Check(was, current File, p templates.Package, written bool) []Breach {
	c := &comparison{was: was, now: current, written: written, places: make(map[string]templates.Position)}
	for _, family := range p.Families {
		c.families = append(c.families, family.At)
		for _, r := range family.Retired {
			c.retired = append(c.retired, [2]string{family.Name, r.Name})
		}
		for _, e := range family.Events {
			c.places[key(e.Name, e.Revision)] = e.At
		}
	}
	c.compareFields()
	var all []Breach
	for _, r := range Rules() {
		for _, b := range r.check(c) {
			b.Rule, b.Warning = r.ID, r.Warning
			if !c.accepted(b) {
				all = append(all, b)
			}
		}
	}
	return all
}
