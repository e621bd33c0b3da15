package ledger

// LineRejected records that the bank refused an operation. Lines that cannot be
// read are not recorded: they are unreadable the next time too.
//
//esgen:event name=ledger.line_rejected
type LineRejected struct {
	// Line is the fingerprint of the line.
	Line      string `json:"line"`
	Reference string `json:"reference"`
	// Kind is the short name of the refusal, Reason its text.
	Kind   string `json:"kind"`
	Reason string `json:"reason"`
}

// Journal is what was refused so far. There is one, whatever the files are
// called.
//
//esgen:state
type Journal struct {
	// Rejected is by the fingerprint of the line.
	Rejected map[string]LineRejected
}

// ApplyLineRejected remembers the line.
func (j *Journal) ApplyLineRejected(e LineRejected) {
	if j.Rejected == nil {
		j.Rejected = make(map[string]LineRejected)
	}
	j.Rejected[e.Line] = e
}
