package ledger

import (
	"cmp"
	"slices"
)

// Summary is what became of a file's lines.
type Summary struct {
	// Lines below the header that were looked at, empty ones left out.
	Lines int
	// Accepted operations are stored now and were not before.
	Accepted int
	// AlreadyImported operations were stored by an earlier import.
	AlreadyImported int
	// Rejected lines changed nothing. They are in the order of the file.
	Rejected []Rejection
}

// Rejection is a line that changed nothing.
type Rejection struct {
	// Line is its number in the file.
	Line int
	// Kind is the short name of the reason: "insufficient funds", "bad time".
	Kind string
	// Reason is the whole of it.
	Reason string
}

// Count is how many lines were rejected for a kind of reason.
type Count struct {
	Kind  string
	Lines int
}

// Kinds counts the rejected lines by their kind, the most frequent first.
func (s Summary) Kinds() []Count {
	byKind := make(map[string]int)
	for _, r := range s.Rejected {
		byKind[r.Kind]++
	}
	counts := make([]Count, 0, len(byKind))
	for kind, n := range byKind {
		counts = append(counts, Count{kind, n})
	}
	slices.SortFunc(counts, func(a, b Count) int {
		return cmp.Or(cmp.Compare(b.Lines, a.Lines), cmp.Compare(a.Kind, b.Kind))
	})
	return counts
}
